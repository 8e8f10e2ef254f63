"""What an organization promises its sellers, and what they have earned."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet
from tenant_apps.deals.models import Deal
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Allocation, Payment


class CommissionPlan(Record):
    """A percentage of collected money, net of tax, from a day on until the next plan starts."""

    name = models.CharField(max_length=120)
    percent = models.DecimalField(max_digits=7, decimal_places=4)
    starts_on = models.DateField()

    objects = RecordQuerySet["CommissionPlan"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["starts_on"], name="commissions_commissionplan_one_per_day"
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=0, percent__lte=100),
                name="commissions_commissionplan_percent_range",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="commissions_commissionplan_named"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.percent} %)"


class CommissionState(models.TextChoices):
    ACCRUED = "accrued", "Accrued"
    WAITING = "waiting", "Waiting"


class Missing(models.TextChoices):
    """What a waiting commission waits for."""

    PLAN = "plan", "A commission plan for the day"
    RATE = "rate", "An exchange rate for the day"


class CommissionQuerySet(RecordQuerySet["Commission"]):
    def waiting(self) -> CommissionQuerySet:
        return self.filter(state=CommissionState.WAITING)

    def accrued(self) -> CommissionQuerySet:
        return self.filter(state=CommissionState.ACCRUED)


class Commission(Record):
    """What the owner of a deal earns on one allocation of money to its invoice.

    One row for every allocation, made with it: where the plan or the rate is not known yet, the
    row waits and is completed later, so that nothing earned is forgotten.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="owner_id", unit="deal__unit_id")

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    deal = models.ForeignKey(Deal, on_delete=models.PROTECT, related_name="commissions")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="+")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="commissions")
    allocation = models.OneToOneField(
        Allocation, on_delete=models.PROTECT, related_name="commission"
    )
    plan = models.ForeignKey(
        CommissionPlan, null=True, on_delete=models.PROTECT, related_name="commissions"
    )
    collected_minor = MinorUnitsField()
    collected_currency = CurrencyField()
    net_minor = MinorUnitsField(null=True)
    amount_minor = MinorUnitsField(null=True)
    currency = CurrencyField()
    collected = MoneyOf("collected_minor", "collected_currency")
    net = MoneyOf("net_minor", "collected_currency")
    amount = MoneyOf("amount_minor", "currency")
    # The day of the allocation: by its plan and its rate the commission is reckoned.
    earned_on = models.DateField()
    # The day on which it stands in the books and in the figures. It is later where the period of
    # the former was closed before the commission accrued; the same while it waits.
    effective_on = models.DateField()
    state = models.CharField(max_length=8, choices=CommissionState)
    missing = models.CharField(max_length=8, choices=Missing, blank=True, default="")
    # The calculator's input and its steps, as they were when the commission accrued.
    basis = models.JSONField(default=dict)
    steps = models.JSONField(default=list)
    accrued_at = models.DateTimeField(null=True)

    objects = CommissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state="accrued",
                    missing="",
                    amount_minor__isnull=False,
                    net_minor__isnull=False,
                    plan__isnull=False,
                    accrued_at__isnull=False,
                )
                | Q(state="waiting", missing__in=["plan", "rate"], amount_minor__isnull=True),
                name="commissions_commission_accrued_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(amount_minor__gte=0),
                name="commissions_commission_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(effective_on__gte=F("earned_on")),
                name="commissions_commission_effective_when_earned",
            ),
        ]
        indexes = [
            models.Index(
                fields=["earned_on", "id"],
                condition=Q(state="waiting"),
                name="commissions_waiting",
            ),
            models.Index(fields=["created_at", "id"], name="commissions_made"),
            models.Index(fields=["owner", "effective_on"], name="commissions_owner_day"),
            models.Index(fields=["effective_on"], name="commissions_day"),
            models.Index(fields=["earned_on"], name="commissions_earned"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.effective_on}"
