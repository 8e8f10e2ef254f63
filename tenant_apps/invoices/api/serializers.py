"""What invoices look like from outside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import ExpandableSerializer, MoneyField, StrictSerializer
from tenant_apps.deals.api.serializers import DealOut
from tenant_apps.invoices.models import InvoiceState
from tenant_apps.parties.api.serializers import ClientOut
from tenant_apps.products.models import TaxCategory


class PrintedPartyOut(serializers.Serializer[Any]):
    """A party as it was printed on the invoice."""

    name = serializers.CharField()
    tax_number = serializers.CharField()
    address_line_1 = serializers.CharField()
    address_line_2 = serializers.CharField()
    city = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()


class InvoiceLineOut(serializers.Serializer[Any]):
    position = serializers.IntegerField()
    product = serializers.UUIDField(source="product_id", allow_null=True)
    description = serializers.CharField()
    quantity = serializers.DecimalField(max_digits=14, decimal_places=4)
    unit_price = MoneyField()
    net = MoneyField()
    tax = MoneyField()
    tax_category = serializers.ChoiceField(choices=TaxCategory.choices)
    tax_percent = serializers.DecimalField(max_digits=6, decimal_places=3)


class InvoiceTaxTotalOut(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=TaxCategory.choices)
    percent = serializers.DecimalField(max_digits=6, decimal_places=3)
    taxable = MoneyField()
    tax = MoneyField()


class InvoiceApprovalOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    invoice = serializers.UUIDField(source="invoice_id")
    comment = serializers.CharField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()


class InvoiceOut(ExpandableSerializer):
    """An invoice in a list: without its lines."""

    expandable = {"deal": DealOut, "recipient": ClientOut}

    id = serializers.UUIDField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=InvoiceState.choices)
    deal = serializers.UUIDField(source="deal_id", allow_null=True)
    issuer = serializers.UUIDField(source="issuer_id")
    recipient = serializers.UUIDField(source="recipient_id")
    recipient_name = serializers.CharField(source="recipient_details.name")
    owner = serializers.UUIDField(source="owner_id")
    unit = serializers.UUIDField(source="unit_id")
    issued_on = serializers.DateField()
    due_on = serializers.DateField()
    net = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    allocated = MoneyField()
    outstanding = MoneyField()
    is_approved = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class InvoiceDetailOut(InvoiceOut):
    """One invoice in full."""

    issuer_details = PrintedPartyOut()
    recipient_details = PrintedPartyOut()
    lines = InvoiceLineOut(many=True)
    tax_totals = InvoiceTaxTotalOut(many=True)


class InvoiceApprovalIn(StrictSerializer):
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)


class InvoicePdfOut(serializers.Serializer[Any]):
    """Where the PDF can be fetched; the address works for a quarter of an hour."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    url = serializers.SerializerMethodField()

    def get_url(self, document: object) -> str:
        """A path on this host that needs no sign-in."""
        return str(self.context["link"])


class InvoiceSeriesOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    payment_terms_days = serializers.IntegerField()
    note = serializers.CharField()
    is_default = serializers.BooleanField()
    version = serializers.IntegerField()


class InvoiceSeriesIn(StrictSerializer):
    payment_terms_days = serializers.IntegerField(min_value=0, max_value=365)
    note = serializers.CharField(max_length=500, allow_blank=True)
