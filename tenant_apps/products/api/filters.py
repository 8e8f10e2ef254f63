"""How lists of products and tax rates can be narrowed."""

from __future__ import annotations

import django_filters

from tenant_apps.products.models import Product, TaxCategory, TaxRate


class ProductFilter(django_filters.FilterSet):
    code = django_filters.CharFilter(lookup_expr="iexact", max_length=40)
    name = django_filters.CharFilter(
        lookup_expr="icontains", max_length=200, help_text="A part of the name, whatever its case."
    )
    series = django_filters.CharFilter(max_length=80)
    is_active = django_filters.BooleanFilter()

    class Meta:
        model = Product
        fields: list[str] = []


class TaxRateFilter(django_filters.FilterSet):
    code = django_filters.CharFilter(lookup_expr="iexact", max_length=20)
    category = django_filters.ChoiceFilter(choices=TaxCategory)
    is_default = django_filters.BooleanFilter()
    is_active = django_filters.BooleanFilter()

    class Meta:
        model = TaxRate
        fields: list[str] = []
