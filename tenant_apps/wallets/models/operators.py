"""Whose number a phone number is: the prefixes that the organization keeps."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from shared_apps.kernel.models import Record, Versioned

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


def beginnings_of(e164: str) -> list[str]:
    """Every prefix that a number could be found by."""
    return [e164[:length] for length in range(SHORTEST_PREFIX, len(e164) + 1)]


class OperatorPrefix(Record):
    """The beginning (E.164, with its plus) of an operator's numbers."""

    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="prefixes")
    prefix = models.CharField(max_length=16)

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
