"""Products and tax rates."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.products import services
from tenant_apps.products.api.filters import ProductFilter, TaxRateFilter
from tenant_apps.products.api.serializers import (
    NewProductIn,
    NewTaxRateIn,
    ProductIn,
    ProductOut,
    TaxRateIn,
    TaxRateOut,
)
from tenant_apps.products.models import Product, TaxRate
from tenant_apps.products.selectors import products_visible_to, tax_rates_visible_to


class ProductViewSet(Listing, Retrieving, OrganizationViewSet):
    """What the organization sells."""

    queryset = Product.objects.none()
    serializer_class = ProductOut
    input_serializers = {"create": NewProductIn, "partial_update": ProductIn}
    required_permissions = {
        "list": "products.view_product",
        "retrieve": "products.view_product",
        "create": "products.add_product",
        "partial_update": "products.change_product",
    }
    filterset_class = ProductFilter
    ordering_fields = ("code", "name", "created_at")

    def get_queryset(self) -> Any:
        products = products_visible_to(self.actor)
        if "tax_rate" in self.expanded():
            rates = tax_rates_visible_to(self.actor)
            products = products.prefetch_related(Prefetch("tax_rate", queryset=rates))
        return products

    def create(self, request: Request) -> Response:
        """Record a product."""
        new = services.NewProduct(**self.read_input())
        return self.answer(services.record_products(actor=self.actor, products=[new])[0])

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a product; deals keep the values they have."""
        return self.answer(
            services.change_product(
                actor=self.actor,
                product_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )


class TaxRateViewSet(Listing, Retrieving, OrganizationViewSet):
    """The tax rates of the organization. Category and percent of a rate never change."""

    queryset = TaxRate.objects.none()
    serializer_class = TaxRateOut
    input_serializers = {"create": NewTaxRateIn, "partial_update": TaxRateIn}
    required_permissions = {
        "list": "products.view_taxrate",
        "retrieve": "products.view_taxrate",
        "create": "products.add_taxrate",
        "partial_update": "products.change_taxrate",
    }
    filterset_class = TaxRateFilter
    ordering_fields = ("code", "created_at")

    def get_queryset(self) -> Any:
        return tax_rates_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Record a tax rate; a new default takes the place of the former one."""
        return self.answer(services.record_tax_rate(actor=self.actor, **self.read_input()))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a tax rate, make it the default, or take it out of use."""
        return self.answer(
            services.change_tax_rate(
                actor=self.actor,
                tax_rate_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )
