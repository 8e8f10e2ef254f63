"""Whose number a phone number is: the prefixes that the organization keeps."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from shared_apps.kernel.models import Record, RecordQuerySet, Versioned

SHORTEST_PREFIX = 2


class Operator(Record, Versioned):
    """A phone company for whose numbers charge is sold."""

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["code"], name="wallets_operator_code"),
            models.CheckConstraint(condition=~Q(code=""), name="wallets_operator_coded"),
        ]

    def __str__(self) -> str:
        return self.code


class OperatorPrefixQuerySet(RecordQuerySet["OperatorPrefix"]):
    def of_number(self, e164: str) -> Self:
        """The prefixes that a number begins with, the longest first."""
        beginnings = [e164[:length] for length in range(SHORTEST_PREFIX, len(e164) + 1)]
        return self.filter(prefix__in=beginnings).order_by(Length("prefix").desc())


class OperatorPrefix(Record):
    """The beginning (E.164, with its plus) of an operator's numbers."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="prefixes")
    prefix = models.CharField(max_length=16)

    objects = OperatorPrefixQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["prefix"], name="wallets_operatorprefix_prefix"),
            models.CheckConstraint(
                condition=Q(prefix__regex=r"^\+[1-9][0-9]{0,14}$"),
                name="wallets_operatorprefix_e164",
            ),
        ]

    def __str__(self) -> str:
        return self.prefix
