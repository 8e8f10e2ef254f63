"""Posting rules: how each kind of business event is written into the books."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from shared_apps.kernel.models import Record, RecordQuerySet

from .accounts import Account


class PostingRule(Record):
    """How one kind of business event is written into the books, by name."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        default_permissions = ("view",)
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class PostingRuleLineQuerySet(RecordQuerySet["PostingRuleLine"]):
    def using_account(self, account: Account) -> Self:
        return self.filter(Q(debit_account=account) | Q(credit_account=account))


class PostingRuleLine(Record):
    """One leg of a rule: which named amount goes from which line of the chart to which."""

    rule = models.ForeignKey(PostingRule, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    amount_name = models.CharField(max_length=32)
    debit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    credit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = PostingRuleLineQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("rule", "position")
        constraints = (
            models.UniqueConstraint(
                fields=["rule", "position"], name="ledger_postingruleline_position"
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.position}"
