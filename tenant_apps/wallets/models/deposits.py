"""A seller's request for credit against money that was paid in."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths
from shared_apps.documents.models import Document
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from tenant_apps.wallets import errors

from .sellers import Wallet


class DepositMethod(models.TextChoices):
    CASH = "cash", "Cash"
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    CHEQUE = "cheque", "Cheque"
    MOBILE_MONEY = "mobile_money", "Mobile money"
    CARD = "card", "Card"


class DepositState(models.TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    DENIED = "denied", "Denied"
    WITHDRAWN = "withdrawn", "Withdrawn"


class DepositRequest(Record, Versioned):
    """Money that a seller says to have paid in. Credit follows another person's approval."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="wallet__seller__user_id", unit="wallet__seller__unit_id"
    )

    reference = models.CharField(max_length=24)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="deposits")
    method = models.CharField(max_length=16, choices=DepositMethod)
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    paid_on = models.DateField()
    # The bank's or the mobile operator's own reference of the money.
    external_reference = models.CharField(max_length=100, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    proof = models.ForeignKey(Document, null=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=DepositState, default=DepositState.PENDING)
    effective_on = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=1000, blank=True, default="")

    objects = RecordQuerySet["DepositRequest"].as_manager()

    class Meta:
        permissions = [("decide_depositrequest", "Can approve or deny a deposit request")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_depositrequest_reference"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="wallets_depositrequest_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="wallets_depositrequest_decided_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(effective_on__isnull=False),
                name="wallets_depositrequest_approved_has_day",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "approved", "denied", "withdrawn"]),
                name="wallets_depositrequest_state_known",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="wallets_depositrequest_made"),
            models.Index(
                fields=["created_at", "id"],
                condition=Q(state="pending"),
                name="wallets_depositrequest_queue",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def content(self) -> dict[str, str]:
        """What an approver signs. A change of any of it voids the signature."""
        return {
            "wallet": str(self.wallet_id),
            "method": self.method,
            "amount": self.amount.to_string(),
            "currency": self.currency,
            "paid_on": self.paid_on.isoformat(),
            "external_reference": self.external_reference,
            "note": self.note,
            "proof": str(self.proof_id or ""),
        }

    def concerned(self) -> frozenset[UUID]:
        """Who never decides: whoever asked or last edited, and the seller's own user."""
        people = (self.created_by_id, self.updated_by_id, self.wallet.seller.user_id)
        return frozenset(person for person in people if person is not None)

    def check_pending(self) -> None:
        """:raises DepositAlreadyDecided: it was approved, denied or withdrawn."""
        if self.state != DepositState.PENDING:
            raise errors.DepositAlreadyDecided(
                f"{self.reference} is {self.state}.", extra={"state": self.state}
            )

    def check_not_own(self, user_id: UUID | None) -> None:
        """:raises OwnDeposit: the user asked for it, edited it, or is the seller."""
        if user_id in self.concerned():
            raise errors.OwnDeposit
