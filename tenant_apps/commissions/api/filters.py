"""How lists of commissions are narrowed."""

from __future__ import annotations

from django_filters import rest_framework as filters

from tenant_apps.commissions.models import Commission, CommissionState, Missing


class CommissionFilter(filters.FilterSet):
    owner = filters.UUIDFilter(field_name="owner_id")
    deal = filters.UUIDFilter(field_name="deal_id")
    payment = filters.UUIDFilter(field_name="payment_id")
    invoice = filters.UUIDFilter(field_name="invoice_id")
    state = filters.ChoiceFilter(choices=CommissionState.choices)
    missing = filters.ChoiceFilter(choices=Missing.choices)
    earned_from = filters.DateFilter(field_name="earned_on", lookup_expr="gte")
    earned_to = filters.DateFilter(field_name="earned_on", lookup_expr="lte")
    effective_from = filters.DateFilter(field_name="effective_on", lookup_expr="gte")
    effective_to = filters.DateFilter(field_name="effective_on", lookup_expr="lte")

    class Meta:
        model = Commission
        fields = (
            "owner",
            "deal",
            "payment",
            "invoice",
            "state",
            "missing",
            "earned_from",
            "earned_to",
            "effective_from",
            "effective_to",
        )
