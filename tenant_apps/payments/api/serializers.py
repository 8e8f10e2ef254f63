"""What the API takes and shows of payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.documents.links import content_link
from shared_apps.kernel.api.fields import DayField, MoneyField
from shared_apps.kernel.api.serializers import ExpandableSerializer, StrictSerializer
from tenant_apps.deals.api.serializers import DealOut
from tenant_apps.parties.api.serializers import ClientOut
from tenant_apps.payments.models import (
    Method,
    Payment,
    PaymentInvoiceState,
    PaymentState,
)


class PaymentIn(StrictSerializer):
    deal = serializers.UUIDField()
    method = serializers.ChoiceField(choices=Method.choices)
    amount = MoneyField(minimum=1)
    paid_on = DayField()
    external_reference = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default=""
    )
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class PaymentChangeIn(StrictSerializer):
    method = serializers.ChoiceField(choices=Method.choices, required=False)
    amount = MoneyField(minimum=1, required=False)
    paid_on = DayField(required=False)
    external_reference = serializers.CharField(max_length=100, required=False, allow_blank=True)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True)


class ProofIn(StrictSerializer):
    file = serializers.FileField(max_length=255, allow_empty_file=True)


class VerificationIn(StrictSerializer):
    remarks = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class RejectionIn(StrictSerializer):
    remarks = serializers.CharField(max_length=1000)


class DocumentLinkOut(serializers.Serializer[Any]):
    """A stored file, and where it can be read for a quarter of an hour without signing in."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    link = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uri-reference"})
    def get_link(self, document: Any) -> str:
        return content_link(document)


class AllocationOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    invoice = serializers.UUIDField(source="invoice_id")
    invoice_number = serializers.CharField(source="invoice.number")
    amount = MoneyField()
    effective_on = serializers.DateField()


class PaymentInvoiceBriefOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=PaymentInvoiceState.choices)


UNAPPLIED_REASONS = (
    ("no_invoice_yet", "The deal has no invoice yet"),
    ("nothing_owed", "Nothing more is owed on the deal's invoice"),
    ("invoice_of_another", "The deal's invoice is another client's"),
)


class PaymentOut(ExpandableSerializer):
    expandable = {"deal": DealOut, "client": ClientOut}

    id = serializers.UUIDField()
    reference = serializers.CharField()
    deal = serializers.UUIDField(source="deal_id")
    deal_reference = serializers.CharField()
    client = serializers.UUIDField(source="client_id")
    client_name = serializers.CharField()
    method = serializers.ChoiceField(choices=Method.choices)
    amount = MoneyField()
    allocated = MoneyField()
    unapplied = MoneyField()
    unapplied_reason = serializers.SerializerMethodField()
    paid_on = serializers.DateField()
    effective_on = serializers.DateField(allow_null=True)
    external_reference = serializers.CharField()
    note = serializers.CharField()
    state = serializers.ChoiceField(choices=PaymentState.choices)
    remarks = serializers.CharField()
    recorded_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    proof = DocumentLinkOut(allow_null=True)
    payment_invoice = PaymentInvoiceBriefOut(source="invoice")
    allocations = AllocationOut(many=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(serializers.ChoiceField(choices=UNAPPLIED_REASONS, allow_null=True))
    def get_unapplied_reason(self, payment: Payment) -> str | None:
        """Why verified money is not used: null while there is none."""
        if not payment.unapplied.is_positive:
            return None
        billed: UUID | None = payment.billed_client_id  # type: ignore[attr-defined]  # by the view's query
        if billed is None:
            return "no_invoice_yet"
        return "nothing_owed" if billed == payment.client_id else "invoice_of_another"


class PaymentInvoiceOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    state = serializers.ChoiceField(choices=PaymentInvoiceState.choices)
    payment = serializers.UUIDField(source="payment_id")
    payment_reference = serializers.CharField(source="payment.reference")
    deal = serializers.UUIDField(source="payment.deal_id")
    client = serializers.UUIDField(source="payment.client_id")
    method = serializers.ChoiceField(choices=Method.choices, source="payment.method")
    amount = MoneyField(source="payment.amount")
    paid_on = serializers.DateField(source="payment.paid_on")
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
