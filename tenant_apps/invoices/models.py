"""Invoices: what was billed, in which number, and how much of it is covered."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from shared_apps.access.models import AccessPaths, ObjectGrant, Scoped
from shared_apps.documents.models import Document
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Deal
from tenant_apps.invoices import errors
from tenant_apps.parties.models import Party
from tenant_apps.products.models import Product, TaxCategory, TaxRate

OF_INVOICE = AccessPaths(owner="invoice__owner_id", unit="invoice__unit_id")


class InvoiceState(models.TextChoices):
    ISSUED = "issued", "Issued"
    PARTLY_PAID = "partly_paid", "Partly paid"
    PAID = "paid", "Paid"


class InvoiceSeries(Record, Versioned):
    """A range of numbers with its terms. One of them is the default."""

    code = models.CharField(max_length=10)
    payment_terms_days = models.PositiveSmallIntegerField(default=30)
    note = models.CharField(max_length=500, blank=True, default="")
    is_default = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "invoice series"
        constraints = [
            models.UniqueConstraint(fields=["code"], name="invoices_series_code"),
            models.UniqueConstraint(
                fields=["is_default"],
                condition=Q(is_default=True),
                name="invoices_series_one_default",
            ),
            models.CheckConstraint(
                condition=Q(payment_terms_days__lte=365),
                name="invoices_series_terms_at_most_a_year",
            ),
        ]

    def __str__(self) -> str:
        return self.code

    def number(self, *, year: int, sequence: int) -> str:
        """The number of an invoice: INV-2026-0001, growing past four digits."""
        return f"{self.code}-{year}-{sequence:04d}"


class InvoiceCounter(Record):
    """How many numbers of a series a year has given out. The row is the lock of the numbering."""

    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="counters")
    year = models.PositiveSmallIntegerField()
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["series", "year"], name="invoices_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.year}: {self.last_number}"


class InvoiceQuerySet(RecordQuerySet["Invoice"]):
    def outstanding(self) -> Self:
        return self.filter(outstanding_minor__gt=0)

    def overdue(self, *, on: date) -> Self:
        """Not wholly paid although due before the day."""
        return self.outstanding().filter(due_on__lt=on)

    def with_approval(self) -> Self:
        """Each row says whether it is approved (`is_approved`)."""
        approvals = InvoiceApproval.objects.filter(invoice=OuterRef("pk"))
        return self.annotate(is_approved=Exists(approvals))


class Invoice(Scoped, Record, Versioned):
    """A claim on its recipient. Once issued, only what was allocated to it changes."""

    number = models.CharField(max_length=40)
    series = models.ForeignKey(InvoiceSeries, on_delete=models.PROTECT, related_name="invoices")
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    deal = models.ForeignKey(
        Deal, null=True, blank=True, on_delete=models.PROTECT, related_name="invoices"
    )
    issuer = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="invoices_issued")
    recipient = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="invoices_received")
    # What was printed of the two: later changes of a party do not reach a sent document.
    issuer_details = models.JSONField()
    recipient_details = models.JSONField()
    issued_on = models.DateField()
    due_on = models.DateField()
    currency = CurrencyField()
    net_minor = MinorUnitsField()
    tax_minor = MinorUnitsField()
    total_minor = MinorUnitsField()
    allocated_minor = MinorUnitsField(default=0)
    outstanding_minor = models.GeneratedField(
        expression=F("total_minor") - F("allocated_minor"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    state = models.GeneratedField(
        expression=Case(
            When(allocated_minor__gte=F("total_minor"), then=Value("paid")),
            When(allocated_minor__gt=0, then=Value("partly_paid")),
            default=Value("issued"),
        ),
        output_field=models.CharField(max_length=12, choices=InvoiceState),
        db_persist=True,
    )
    document = models.ForeignKey(
        Document, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    net = MoneyOf("net_minor", "currency")
    tax = MoneyOf("tax_minor", "currency")
    total = MoneyOf("total_minor", "currency")
    allocated = MoneyOf("allocated_minor", "currency")
    outstanding = MoneyOf("outstanding_minor", "currency")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        permissions = [("approve_invoice", "Can approve an invoice")]
        constraints = [
            models.UniqueConstraint(fields=["number"], name="invoices_invoice_number"),
            models.UniqueConstraint(
                fields=["series", "year", "sequence"], name="invoices_invoice_sequence"
            ),
            models.UniqueConstraint(
                fields=["deal"], condition=Q(deal__isnull=False), name="invoices_invoice_deal"
            ),
            models.CheckConstraint(
                condition=Q(total_minor=F("net_minor") + F("tax_minor")),
                name="invoices_invoice_total_is_sum",
            ),
            models.CheckConstraint(
                condition=Q(net_minor__gt=0, tax_minor__gte=0),
                name="invoices_invoice_amounts_positive",
            ),
            models.CheckConstraint(
                condition=Q(allocated_minor__gte=0, allocated_minor__lte=F("total_minor")),
                name="invoices_invoice_allocated_within_total",
            ),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("issued_on")), name="invoices_invoice_due_after_issue"
            ),
        ]
        indexes = [
            models.Index(fields=["issued_on"], name="invoices_invoice_issued_on"),
            models.Index(
                fields=["due_on"],
                condition=Q(outstanding_minor__gt=0),
                name="invoices_invoice_open_due",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def check_allocable(self, amount: Money) -> None:
        """Whether this much may be added to (or, below zero, taken from) what is allocated.

        :raises AllocationCurrencyDiffers: the amount is in another currency.
        :raises OverAllocated: more than the total, or less than nothing, would be allocated.
        """
        if amount.currency != self.currency:
            raise errors.AllocationCurrencyDiffers(
                f"{self.number} is in {self.currency}, not in {amount.currency}."
            )
        after = self.allocated_minor + amount.minor
        if not 0 <= after <= self.total_minor:
            raise errors.OverAllocated(
                f"{self.number} has {self.allocated} of {self.total} allocated; {amount} more"
                " is not possible.",
                extra={"allocated": self.allocated.to_json(), "total": self.total.to_json()},
            )

    def check_approvable_by(self, user_id: Any) -> None:
        """:raises MakerCannotApprove: the deal is one's own, or one issued the invoice."""
        if user_id is not None and user_id in {self.owner_id, self.created_by_id}:
            raise errors.MakerCannotApprove

    def event_values(self) -> dict[str, Any]:
        """What every event of this invoice carries."""
        return {
            "subject_id": self.id,
            "number": self.number,
            "deal_id": self.deal_id,
            "recipient_id": self.recipient_id,
            "owner_id": self.owner_id,
            "unit_id": self.unit_id,
            "currency": self.currency,
        }


class InvoiceLine(Record):
    """One thing billed: its net, and its share of the tax of its category."""

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = OF_INVOICE

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    description = models.CharField(max_length=300)
    quantity = models.DecimalField(max_digits=14, decimal_places=4)
    currency = CurrencyField()
    unit_price_minor = MinorUnitsField()
    net_minor = MinorUnitsField()
    tax_minor = MinorUnitsField()
    tax_rate = models.ForeignKey(TaxRate, on_delete=models.PROTECT, related_name="+")
    tax_category = models.CharField(max_length=2, choices=TaxCategory)
    tax_percent = models.DecimalField(max_digits=6, decimal_places=3)

    unit_price = MoneyOf("unit_price_minor", "currency")
    net = MoneyOf("net_minor", "currency")
    tax = MoneyOf("tax_minor", "currency")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="invoices_line_position"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0), name="invoices_line_quantity_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.description


class InvoiceTaxTotal(Record):
    """The tax of one category and percent of an invoice (EN 16931, BG-23)."""

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = OF_INVOICE

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="tax_totals")
    category = models.CharField(max_length=2, choices=TaxCategory)
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    currency = CurrencyField()
    taxable_minor = MinorUnitsField()
    tax_minor = MinorUnitsField()

    taxable = MoneyOf("taxable_minor", "currency")
    tax = MoneyOf("tax_minor", "currency")

    class Meta:
        ordering = ["category", "percent"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "category", "percent"], name="invoices_taxtotal_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.percent}"


class InvoiceApproval(Record):
    """That a verifier looked at an invoice and found it right: who and when come with the row."""

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = OF_INVOICE

    invoice = models.OneToOneField(Invoice, on_delete=models.PROTECT, related_name="approval")
    comment = models.CharField(max_length=500, blank=True, default="")

    def __str__(self) -> str:
        return "approved"


class InvoiceGrant(ObjectGrant):
    """A right on one invoice, given to one user, with a real foreign key."""

    content_object = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="+")

    class Meta(ObjectGrant.Meta):
        pass
