"""What the provider's file says, row by row, beside what stands here."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet

from .sales import ChargeSale


class MatchResult(models.TextChoices):
    """`missing_here` stands in the file alone, `missing_there` in the sales alone; `repeated` is
    a further row about a sale that an earlier line is about: it may be billed twice."""

    MATCHED = "matched", "Matched"
    MISSING_HERE = "missing_here", "Missing here"
    MISSING_THERE = "missing_there", "Missing there"
    AMOUNT_DIFFERS = "amount_differs", "Amount differs"
    STATUS_DIFFERS = "status_differs", "Status differs"
    REPEATED = "repeated", "Repeated"
    UNREADABLE = "unreadable", "Unreadable"


class ProviderReconciliation(Record):
    """A provider's file of a span of time, compared with the sales of that span. Written once."""

    append_only = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit=None)

    reference = models.CharField(max_length=24)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    currency = CurrencyField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    objects = RecordQuerySet["ProviderReconciliation"].as_manager()

    class Meta:
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_reconciliation_reference"),
            # The same file for the same span is the same comparison.
            models.UniqueConstraint(
                fields=["sha256", "currency", "starts_at", "ends_at"],
                name="wallets_reconciliation_file",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")),
                name="wallets_reconciliation_span",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="wallets_reconciliation_made")]

    def __str__(self) -> str:
        return self.reference


class ReconciledRow(Record):
    """One row of the file, or one sale that the file does not have (then without a line)."""

    append_only = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit=None)

    reconciliation = models.ForeignKey(
        ProviderReconciliation, on_delete=models.PROTECT, related_name="rows"
    )
    line = models.PositiveIntegerField(null=True)
    result = models.CharField(max_length=14, choices=MatchResult)
    # As the file has it; what of it cannot be read stays null, and `detail` says why.
    charge_reference = models.CharField(max_length=64, blank=True, default="")
    phone = models.CharField(max_length=40, blank=True, default="")
    amount_minor = MinorUnitsField(null=True)
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    status = models.CharField(max_length=24, blank=True, default="")
    charged_at = models.DateTimeField(null=True)
    sale = models.ForeignKey(ChargeSale, null=True, on_delete=models.PROTECT, related_name="+")
    detail = models.CharField(max_length=300, blank=True, default="")

    objects = RecordQuerySet["ReconciledRow"].as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["reconciliation", "line"], name="wallets_reconciledrow_line"
            ),
        ]
        indexes = [
            models.Index(
                fields=["reconciliation", "result", "id"], name="wallets_reconciledrow_result"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reconciliation_id} {self.line}"
