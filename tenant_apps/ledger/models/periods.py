"""Fiscal periods, in which things may take effect until they are closed."""

from datetime import date
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q

from shared_apps.kernel.models import Record, RecordQuerySet


class PeriodState(models.TextChoices):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class FiscalPeriodQuerySet(RecordQuerySet["FiscalPeriod"]):
    def containing(self, day: date) -> Self:
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class FiscalPeriod(Record):
    """A month of a fiscal year. Nothing may be posted with effect in a closed one."""

    fiscal_year = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.CharField(max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_id = models.UUIDField(null=True, blank=True)

    objects: ClassVar = FiscalPeriodQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = (
            ("close_fiscalperiod", "Can close a fiscal period"),
            ("reopen_fiscalperiod", "Can reopen a fiscal period"),
        )
        ordering = ("starts_on",)
        constraints = (
            models.UniqueConstraint(fields=["starts_on"], name="ledger_fiscalperiod_start"),
            models.UniqueConstraint(
                fields=["fiscal_year", "number"], name="ledger_fiscalperiod_number"
            ),
            models.CheckConstraint(
                name="ledger_fiscalperiod_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
        )
        indexes = (
            models.Index(
                fields=["ends_on", "starts_on"],
                condition=Q(state=PeriodState.CLOSED),
                name="ledger_fiscalperiod_closed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.fiscal_year}/{self.number}"
