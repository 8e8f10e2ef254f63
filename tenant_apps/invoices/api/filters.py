"""How lists of invoices can be narrowed."""

from __future__ import annotations

from datetime import date

import django_filters

from tenant_apps.invoices.models import Invoice, InvoiceQuerySet, InvoiceSeries, InvoiceState


class InvoiceFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=InvoiceState)
    number = django_filters.CharFilter(lookup_expr="iexact", max_length=40)
    deal = django_filters.UUIDFilter(field_name="deal_id")
    recipient = django_filters.UUIDFilter(field_name="recipient_id")
    owner = django_filters.UUIDFilter(field_name="owner_id")
    unit = django_filters.UUIDFilter(field_name="unit_id")
    currency = django_filters.CharFilter(max_length=3)
    issued_from = django_filters.DateFilter(field_name="issued_on", lookup_expr="gte")
    issued_to = django_filters.DateFilter(field_name="issued_on", lookup_expr="lte")
    due_from = django_filters.DateFilter(field_name="due_on", lookup_expr="gte")
    due_to = django_filters.DateFilter(field_name="due_on", lookup_expr="lte")
    overdue_on = django_filters.DateFilter(
        method="overdue", help_text="Not wholly paid although due before this day."
    )
    is_approved = django_filters.BooleanFilter(
        field_name="approval", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = Invoice
        fields: list[str] = []

    def overdue(self, queryset: InvoiceQuerySet, name: str, day: date) -> InvoiceQuerySet:
        return queryset.overdue(on=day)


class InvoiceSeriesFilter(django_filters.FilterSet):
    code = django_filters.CharFilter(max_length=10)

    class Meta:
        model = InvoiceSeries
        fields: list[str] = []
