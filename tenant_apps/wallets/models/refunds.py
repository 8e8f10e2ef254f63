"""The credit of a sale that is given back."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from tenant_apps.wallets import errors

from .sales import ChargeSale


class RefundState(models.TextChoices):
    """`superseded`: the provider gave the charge back while the request waited."""

    PENDING = "pending", "Pending"
    REFUNDED = "refunded", "Refunded"
    DENIED = "denied", "Denied"
    WITHDRAWN = "withdrawn", "Withdrawn"
    SUPERSEDED = "superseded", "Superseded"


class RefundOrigin(models.TextChoices):
    REQUEST = "request", "A request that another person approved"
    PROVIDER = "provider", "The provider reversed the charge"


class ChargeRefund(Record, Versioned):
    """A whole sale whose credit is given back, or is to be. A sale has one that stands at most."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="sale__wallet__seller__user_id", unit="sale__wallet__seller__unit_id"
    )

    reference = models.CharField(max_length=24)
    sale = models.ForeignKey(ChargeSale, on_delete=models.PROTECT, related_name="refunds")
    # What was paid: all of it goes back, or nothing.
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    origin = models.CharField(max_length=8, choices=RefundOrigin, default=RefundOrigin.REQUEST)
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=RefundState, default=RefundState.PENDING)
    remark = models.CharField(max_length=1000, blank=True, default="")
    effective_on = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)

    objects = RecordQuerySet["ChargeRefund"].as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = [("decide_chargerefund", "Can approve or deny the refund of a sale")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_chargerefund_reference"),
            models.UniqueConstraint(
                fields=["sale"],
                condition=Q(state__in=["pending", "refunded"]),
                name="wallets_chargerefund_one_of_a_sale",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="wallets_chargerefund_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "refunded", "denied", "withdrawn", "superseded"]),
                name="wallets_chargerefund_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="wallets_chargerefund_decided_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="refunded") | Q(effective_on__isnull=False),
                name="wallets_chargerefund_refunded_has_day",
            ),
        ]
        indexes = [models.Index(fields=["created_at", "id"], name="wallets_chargerefund_made")]

    def __str__(self) -> str:
        return self.reference

    def content(self) -> dict[str, str]:
        """What an approver signs."""
        return {
            "sale": str(self.sale_id),
            "amount": self.amount.to_string(),
            "currency": self.currency,
            "reason": self.reason,
        }

    def concerned(self) -> frozenset[UUID]:
        """Who never decides: whoever asked for it, whoever sold, and the seller's own user."""
        people = (
            self.created_by_id,
            self.sale.created_by_id,
            self.sale.wallet.seller.user_id,
        )
        return frozenset(person for person in people if person is not None)

    def check_pending(self) -> None:
        """:raises RefundAlreadyDecided: it was refunded, denied, withdrawn or superseded."""
        if self.state != RefundState.PENDING:
            raise errors.RefundAlreadyDecided(
                f"{self.reference} is {self.state}.", extra={"state": self.state}
            )

    def check_not_own(self, user_id: UUID | None) -> None:
        """:raises OwnRefund: the user asked for it, sold it, or is the seller."""
        if user_id in self.concerned():
            raise errors.OwnRefund
