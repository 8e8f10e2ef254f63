"""Money that came in on a deal: the payment, its own document, and what it was used for."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from shared_apps.access.models import AccessPaths, ObjectGrant
from shared_apps.documents.models import Document
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Deal
from tenant_apps.invoices.models import Invoice
from tenant_apps.parties.models import Party
from tenant_apps.payments import errors


class Method(models.TextChoices):
    CASH = "cash", "Cash"
    BANK_TRANSFER = "bank_transfer", "Bank transfer"
    CHEQUE = "cheque", "Cheque"
    MOBILE_MONEY = "mobile_money", "Mobile money"
    CARD = "card", "Card"


class PaymentState(models.TextChoices):
    PENDING = "pending", "Pending"
    VERIFIED = "verified", "Verified"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class PaymentQuerySet(RecordQuerySet["Payment"]):
    def pending(self) -> PaymentQuerySet:
        return self.filter(state=PaymentState.PENDING)

    def verified(self) -> PaymentQuerySet:
        return self.filter(state=PaymentState.VERIFIED)

    def standing(self) -> PaymentQuerySet:
        """Payments that wait or are verified: nobody has refused them or taken them back."""
        return self.filter(state__in=[PaymentState.PENDING, PaymentState.VERIFIED])

    def with_money_left(self) -> PaymentQuerySet:
        """Verified payments of which a part is not allocated yet."""
        return self.verified().filter(allocated_minor__lt=F("amount_minor"))

    def in_queue_order(self) -> PaymentQuerySet:
        """Oldest first; the id is a tie-breaker made in the order of recording."""
        return self.order_by("created_at", "id")


class Payment(Record, Versioned):
    """Money a client paid on a deal, as somebody recorded it and a verifier confirmed it.

    Whose payment it is follows from the deal, so that a deal that changes hands takes its
    payments along.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="deal__owner_id", unit="deal__unit_id")

    reference = models.CharField(max_length=24)
    deal = models.ForeignKey(Deal, on_delete=models.PROTECT, related_name="payments")
    client = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=16, choices=Method)
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    allocated_minor = MinorUnitsField(default=0)
    amount = MoneyOf("amount_minor", "currency")
    allocated = MoneyOf("allocated_minor", "currency")
    paid_on = models.DateField()
    # The cheque number, the code of the mobile operator, the bank's own reference.
    external_reference = models.CharField(max_length=100, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    proof = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(max_length=10, choices=PaymentState, default=PaymentState.PENDING)
    effective_on = models.DateField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)
    remarks = models.CharField(max_length=1000, blank=True, default="")

    objects = PaymentQuerySet.as_manager()

    class Meta:
        permissions = [
            ("verify_payment", "Can verify or reject a payment"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="payments_payment_reference"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payments_payment_amount_positive"
            ),
            # The last word on "never more than was paid", whatever the services believe.
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, allocated_minor__lte=F("amount_minor")),
                name="payments_payment_allocated_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(allocated_minor=0) | Q(state="verified"),
                name="payments_payment_allocated_only_when_verified",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | (~Q(state="pending") & Q(decided_at__isnull=False)),
                name="payments_payment_decided_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="verified") | Q(effective_on__isnull=False),
                name="payments_payment_verified_has_effective_day",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "verified", "rejected", "withdrawn"]),
                name="payments_payment_state_known",
            ),
            models.CheckConstraint(
                condition=Q(method__in=["cash", "bank_transfer", "cheque", "mobile_money", "card"]),
                name="payments_payment_method_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at", "id"],
                condition=Q(state="pending"),
                name="payments_payment_queue",
            ),
            models.Index(
                fields=["method", "currency"],
                include=["amount_minor"],
                condition=Q(state="pending"),
                name="payments_payment_queue_method",
            ),
            models.Index(fields=["created_at", "id"], name="payments_payment_recorded"),
            models.Index(fields=["paid_on", "id"], name="payments_payment_paid_on"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def unapplied(self) -> Money:
        """What of a verified payment no invoice has taken; nothing while it is not verified."""
        if self.state != PaymentState.VERIFIED:
            return Money.zero(self.currency)
        return Money(self.amount_minor - self.allocated_minor, self.currency)

    def content(self) -> dict[str, str]:
        """What a verifier signs. A change of any of it voids the signature."""
        return {
            "deal": str(self.deal_id),
            "client": str(self.client_id),
            "method": self.method,
            "amount": self.amount.to_string(),
            "currency": self.currency,
            "paid_on": self.paid_on.isoformat(),
            "external_reference": self.external_reference,
            "note": self.note,
            "proof": str(self.proof_id or ""),
        }

    def concerned(self) -> frozenset[UUID]:
        """Who never verifies it: whoever recorded or last edited it, and the owner of the deal."""
        people = (self.created_by_id, self.updated_by_id, self.deal.owner_id)
        return frozenset(person for person in people if person is not None)

    def check_pending(self) -> None:
        """:raises PaymentAlreadyDecided: it was verified, rejected or withdrawn."""
        if self.state != PaymentState.PENDING:
            raise errors.PaymentAlreadyDecided(
                f"{self.reference} is {self.state}.", extra={"state": self.state}
            )

    def check_not_own(self, user_id: UUID | None) -> None:
        """:raises OwnPayment: the user recorded or edited it, or owns its deal."""
        if user_id in self.concerned():
            raise errors.OwnPayment


class PaymentGrant(ObjectGrant):
    """One person's right to one payment."""

    content_object = models.ForeignKey(Payment, on_delete=models.CASCADE)

    class Meta(ObjectGrant.Meta):
        pass


class PaymentInvoiceState(models.TextChoices):
    PENDING = "pending", "Pending"
    APPROVED = "approved", "Approved"
    VOID = "void", "Void"


class PaymentInvoice(Record):
    """A payment's own document. It posts nothing and is never outstanding."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="payment__deal__owner_id", unit="payment__deal__unit_id"
    )

    payment = models.OneToOneField(Payment, on_delete=models.PROTECT, related_name="invoice")
    reference = models.CharField(max_length=24)
    state = models.CharField(
        max_length=10, choices=PaymentInvoiceState, default=PaymentInvoiceState.PENDING
    )
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)
    # Made when somebody first asks for it after the decision.
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    objects = RecordQuerySet["PaymentInvoice"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="payments_paymentinvoice_reference"),
            models.CheckConstraint(
                condition=Q(state="pending", decided_at__isnull=True)
                | (Q(state__in=["approved", "void"]) & Q(decided_at__isnull=False)),
                name="payments_paymentinvoice_decided_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="payments_paymentinvoice_made"),
        ]

    def __str__(self) -> str:
        return self.reference


class Allocation(Record):
    """A part of a verified payment used for an invoice. Written once, never changed."""

    append_only = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="payment__deal__owner_id", unit="payment__deal__unit_id"
    )

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="allocations")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="allocations")
    amount_minor = MinorUnitsField()
    # What the invoice had received before this: the place of this part in the whole, from which
    # its share of tax follows without rounding twice.
    collected_before_minor = MinorUnitsField()
    currency = CurrencyField()
    amount = MoneyOf("amount_minor", "currency")
    effective_on = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "collected_before_minor"],
                name="payments_allocation_place_in_invoice",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="payments_allocation_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(collected_before_minor__gte=0),
                name="payments_allocation_place_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.payment_id} -> {self.invoice_id}"
