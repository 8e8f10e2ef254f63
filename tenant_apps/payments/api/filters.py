"""How lists of payments are narrowed."""

from __future__ import annotations

from typing import ClassVar

from django_filters import rest_framework as filters

from tenant_apps.payments.models import (
    Method,
    Payment,
    PaymentInvoice,
    PaymentInvoiceState,
    PaymentState,
)


class QueueFilter(filters.FilterSet):
    method = filters.ChoiceFilter(choices=Method.choices)
    deal = filters.UUIDFilter(field_name="deal_id")
    client = filters.UUIDFilter(field_name="client_id")
    paid_from = filters.DateFilter(field_name="paid_on", lookup_expr="gte")
    paid_to = filters.DateFilter(field_name="paid_on", lookup_expr="lte")

    class Meta:
        model = Payment
        fields: ClassVar[tuple[str, ...]] = ("method", "deal", "client", "paid_from", "paid_to")


class PaymentFilter(QueueFilter):
    state = filters.ChoiceFilter(choices=PaymentState.choices)
    reference = filters.CharFilter(max_length=24)
    external_reference = filters.CharFilter(max_length=100)

    class Meta(QueueFilter.Meta):
        fields: ClassVar[tuple[str, ...]] = (
            *QueueFilter.Meta.fields,
            "state",
            "reference",
            "external_reference",
        )


class PaymentInvoiceFilter(filters.FilterSet):
    state = filters.ChoiceFilter(choices=PaymentInvoiceState.choices)
    payment = filters.UUIDFilter(field_name="payment_id")
    deal = filters.UUIDFilter(field_name="payment__deal_id")
    client = filters.UUIDFilter(field_name="payment__client_id")

    class Meta:
        model = PaymentInvoice
        fields = ("state", "payment", "deal", "client")
