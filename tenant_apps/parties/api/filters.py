"""How lists of clients can be narrowed."""

from __future__ import annotations

import django_filters

from tenant_apps.parties.models import Contact, Party, PartyKind


class ClientFilter(django_filters.FilterSet):
    name = django_filters.CharFilter(
        lookup_expr="icontains", max_length=200, help_text="A part of the name, whatever its case."
    )
    kind = django_filters.ChoiceFilter(choices=PartyKind)
    country = django_filters.CharFilter(max_length=2)
    sector = django_filters.CharFilter(max_length=80)
    owner = django_filters.UUIDFilter(field_name="owner_id")
    unit = django_filters.UUIDFilter(field_name="unit_id")
    parent_company = django_filters.UUIDFilter(field_name="parent_id")
    external_source = django_filters.CharFilter(max_length=40)
    external_reference = django_filters.CharFilter(max_length=200)

    class Meta:
        model = Party
        fields: list[str] = []


class ContactFilter(django_filters.FilterSet):
    is_primary = django_filters.BooleanFilter()
    receives_invoices = django_filters.BooleanFilter()

    class Meta:
        model = Contact
        fields: list[str] = []
