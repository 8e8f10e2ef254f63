"""Phone charge sold from a seller's credit."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet

from .operators import Operator
from .sellers import Wallet


class SaleState(models.TextChoices):
    """`held`: credit is held, the provider was not called. `sent`: a call is on its way.
    `unknown`: nobody knows what became of the call. The last two are final."""

    HELD = "held", "Held"
    SENT = "sent", "Sent"
    UNKNOWN = "unknown", "Unknown"
    SOLD = "sold", "Sold"
    FAILED = "failed", "Failed"


UNSETTLED = (SaleState.HELD, SaleState.SENT, SaleState.UNKNOWN)


class ChargeSaleQuerySet(RecordQuerySet["ChargeSale"]):
    def unsettled(self) -> Self:
        return self.filter(state__in=UNSETTLED)

    def due(self, *, at: datetime) -> Self:
        """Those about which it is time to ask, the longest waiting first."""
        return self.unsettled().filter(next_ask_at__lte=at).order_by("next_ask_at", "id")

    def with_parties(self) -> Self:
        """Each with `seller_id` and `operator_code`, as those that were just moved have them."""
        return self.annotate(seller_id=F("wallet__seller_id"), operator_code=F("operator__code"))


class ChargeSale(Record):
    """One charge of one phone number. What it holds in the books has its id beside this one's.

    `charge_reference` is what the provider knows the sale by, the same in every call about it.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="wallet__seller__user_id", unit="wallet__seller__unit_id"
    )

    reference = models.CharField(max_length=24)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="sales")
    # E.164. Personal: it stands in no event and no log.
    phone = models.CharField(max_length=16)
    operator = models.ForeignKey(Operator, on_delete=models.PROTECT, related_name="+")
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    # The day of the organization's calendar whose limit it uses.
    sold_on = models.DateField()
    state = models.CharField(max_length=8, choices=SaleState, default=SaleState.HELD)
    charge_reference = models.UUIDField()
    provider_reference = models.CharField(max_length=64, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")
    asked_times = models.PositiveIntegerField(default=0)
    next_ask_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    # When the credit was given back. The sale stays sold: the number was charged.
    refunded_at = models.DateTimeField(null=True)

    # Where they were read along (`with_parties`).
    seller_id: UUID
    operator_code: str

    objects = ChargeSaleQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_chargesale_reference"),
            models.UniqueConstraint(
                fields=["charge_reference"], name="wallets_chargesale_charge_reference"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="wallets_chargesale_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "sent", "unknown", "sold", "failed"]),
                name="wallets_chargesale_state_known",
            ),
            # Whoever is not settled is asked about again; whoever is, never.
            models.CheckConstraint(
                condition=Q(
                    state__in=["held", "sent", "unknown"],
                    settled_at__isnull=True,
                    next_ask_at__isnull=False,
                )
                | Q(
                    state__in=["sold", "failed"],
                    settled_at__isnull=False,
                    next_ask_at__isnull=True,
                ),
                name="wallets_chargesale_settled_or_asked",
            ),
            models.CheckConstraint(
                condition=Q(state="held", sent_at__isnull=True)
                | Q(state="failed")
                | Q(state__in=["sent", "unknown", "sold"], sent_at__isnull=False),
                name="wallets_chargesale_sent_has_time",
            ),
            models.CheckConstraint(
                condition=Q(refunded_at__isnull=True) | Q(state="sold"),
                name="wallets_chargesale_refunded_was_sold",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="wallets_chargesale_made"),
            models.Index(fields=["phone", "id"], name="wallets_chargesale_phone"),
            models.Index(
                fields=["next_ask_at", "id"],
                condition=Q(state__in=["held", "sent", "unknown"]),
                name="wallets_chargesale_due",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_settled(self) -> bool:
        return self.state not in UNSETTLED
