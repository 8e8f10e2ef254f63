"""The only reader of products and tax rates that other apps call."""

from __future__ import annotations

from collections.abc import Iterable

from shared_apps.kernel.actor import Actor
from tenant_apps.products import errors
from tenant_apps.products.models import Product, ProductQuerySet, TaxRate, TaxRateQuerySet


def products_visible_to(actor: Actor) -> ProductQuerySet:
    """The products that the actor may see."""
    return actor.visible(Product.objects.all(), "products.view_product")


def tax_rates_visible_to(actor: Actor) -> TaxRateQuerySet:
    """The tax rates that the actor may see."""
    return actor.visible(TaxRate.objects.all(), "products.view_taxrate")


def products_by_code(*, codes: Iterable[str]) -> dict[str, Product]:
    """The products with these codes, by their code in lower case."""
    return {product.code.lower(): product for product in Product.objects.with_codes(codes)}


def default_tax_rate() -> TaxRate:
    """The rate of a sale for which neither the deal nor the product names one.

    :raises NoDefaultTaxRate: the organization was never seeded.
    """
    rate = TaxRate.objects.filter(is_default=True).first()
    if rate is None:
        raise errors.NoDefaultTaxRate
    return rate


def rate_for(*, deal_rate: TaxRate | None, product: Product | None, default: TaxRate) -> TaxRate:
    """The rate of a sale: the deal's own, else the product's, else the default."""
    if deal_rate is not None:
        return deal_rate
    if product is not None and product.tax_rate is not None:
        return product.tax_rate
    return default
