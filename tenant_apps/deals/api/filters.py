"""How lists of deals, stage changes and activities can be narrowed."""

from __future__ import annotations

import django_filters

from tenant_apps.deals.models import Activity, ActivityKind, Deal, Stage, StageChange


class DealFilter(django_filters.FilterSet):
    stage = django_filters.ChoiceFilter(choices=Stage)
    reference = django_filters.CharFilter(lookup_expr="iexact", max_length=40)
    name = django_filters.CharFilter(
        lookup_expr="icontains", max_length=200, help_text="A part of the name, whatever its case."
    )
    client = django_filters.UUIDFilter(field_name="client_id")
    product = django_filters.UUIDFilter(field_name="product_id")
    owner = django_filters.UUIDFilter(field_name="owner_id")
    unit = django_filters.UUIDFilter(field_name="unit_id")
    currency = django_filters.CharFilter(max_length=3)
    engaged_from = django_filters.DateFilter(field_name="engaged_on", lookup_expr="gte")
    engaged_to = django_filters.DateFilter(field_name="engaged_on", lookup_expr="lte")
    closed_from = django_filters.DateFilter(field_name="closed_on", lookup_expr="gte")
    closed_to = django_filters.DateFilter(field_name="closed_on", lookup_expr="lte")
    external_source = django_filters.CharFilter(max_length=40)
    external_reference = django_filters.CharFilter(max_length=200)

    class Meta:
        model = Deal
        fields: list[str] = []


class StageChangeFilter(django_filters.FilterSet):
    to_stage = django_filters.ChoiceFilter(choices=Stage)

    class Meta:
        model = StageChange
        fields: list[str] = []


class ActivityFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=ActivityKind)

    class Meta:
        model = Activity
        fields: list[str] = []
