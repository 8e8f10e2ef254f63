"""The only writer of products and tax rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.products import errors, events
from tenant_apps.products.models import Product, TaxCategory, TaxRate
from tenant_apps.products.selectors import products_visible_to, tax_rates_visible_to

PRODUCT_CHANGEABLE = frozenset({"name", "series", "list_price", "tax_rate_id", "is_active"})
RATE_CHANGEABLE = frozenset({"name", "is_default", "is_active"})

NO_TAX_CODE = "NONE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product as it is first recorded; `list_price` is before tax."""

    code: str
    name: str
    list_price: Money
    series: str = ""
    tax_rate_id: UUID | None = None


@transaction.atomic
def record_products(*, actor: Actor, products: Sequence[NewProduct]) -> list[Product]:
    """Record products, in the given order.

    :raises Forbidden: the actor may not add products.
    :raises NegativePrice: a price is below zero.
    :raises UnknownTaxRate: a tax rate does not exist or is not active.
    :raises ProductCodeTaken: a code is in use, whatever its case.
    """
    actor.require("products.add_product")
    for product in products:
        _check_price(product.list_price)
    _check_rates({product.tax_rate_id for product in products if product.tax_rate_id})
    _check_codes([product.code for product in products])
    rows = [
        Product(
            code=product.code,
            name=product.name,
            series=product.series,
            list_price_minor=product.list_price.minor,
            currency=product.list_price.currency,
            tax_rate_id=product.tax_rate_id,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        )
        for product in products
    ]
    Product.objects.bulk_create(rows)
    history.record_bulk_created(rows, actor=actor)
    audit.record_all(
        [
            events.ProductRecorded(
                subject_id=row.id,
                code=row.code,
                list_price_minor=row.list_price_minor,
                currency=row.currency,
            )
            for row in rows
        ],
        actor=actor,
    )
    return rows


@transaction.atomic
def change_product(
    *,
    actor: Actor,
    product_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Product:
    """Change fields of a product (`PRODUCT_CHANGEABLE`); deals keep the values they have.

    :raises NotFound: no such product that the actor sees.
    :raises Forbidden: the actor may not change products.
    :raises PreconditionFailed: it is at another version.
    :raises NegativePrice: the price is below zero.
    :raises UnknownTaxRate: the tax rate does not exist or is not active.
    """
    product = products_visible_to(actor).locked(product_id)
    actor.require("products.change_product", product)
    product.check_version(expected_version)
    changed = _changed(product, changes, PRODUCT_CHANGEABLE)
    if not changed:
        return product
    if "list_price" in changed:
        _check_price(changes["list_price"])
    if "tax_rate_id" in changed and changes["tax_rate_id"] is not None:
        _check_rates({changes["tax_rate_id"]})
    for name in changed:
        if name == "list_price":
            product.list_price_minor = changes[name].minor
            product.currency = changes[name].currency
        else:
            setattr(product, name, changes[name])
    _save(product, actor)
    audit.record(events.ProductChanged(subject_id=product.id, fields=changed), actor=actor)
    return product


@transaction.atomic
def record_tax_rate(
    *,
    actor: Actor,
    code: str,
    name: str,
    category: str,
    percent: Decimal,
    is_default: bool = False,
) -> TaxRate:
    """Record a tax rate; a new default takes the place of the former one.

    `percent` is in hundredths: 16 means 16 %.

    :raises Forbidden: the actor may not add tax rates.
    :raises PercentDoesNotFitCategory: only the standard category has a percent above zero.
    :raises TaxCodeTaken: the code is in use, whatever its case.
    """
    actor.require("products.add_taxrate")
    if not TaxRate.percent_fits(category=category, percent=percent):
        raise errors.PercentDoesNotFitCategory
    if TaxRate.objects.filter(code__iexact=code).exists():
        raise errors.TaxCodeTaken
    if is_default:
        _give_up_default(actor)
    rate = TaxRate(
        code=code,
        name=name,
        category=category,
        percent=percent,
        is_default=is_default,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    rate.save(force_insert=True)
    audit.record(
        events.TaxRateRecorded(
            subject_id=rate.id, code=code, category=category, percent=str(percent)
        ),
        actor=actor,
    )
    return rate


@transaction.atomic
def change_tax_rate(
    *,
    actor: Actor,
    tax_rate_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> TaxRate:
    """Change the name of a rate, whether it is in use and whether it is the default.

    Its category and percent never change: invoices were computed with them.

    :raises NotFound: no such rate that the actor sees.
    :raises Forbidden: the actor may not change tax rates.
    :raises PreconditionFailed: it is at another version.
    :raises DefaultRateMustBeActive: the default would be inactive, or nothing would be default.
    """
    rate = tax_rates_visible_to(actor).locked(tax_rate_id)
    actor.require("products.change_taxrate", rate)
    rate.check_version(expected_version)
    changed = _changed(rate, changes, RATE_CHANGEABLE)
    if not changed:
        return rate
    after = {name: changes.get(name, getattr(rate, name)) for name in RATE_CHANGEABLE}
    if after["is_default"] and not after["is_active"]:
        raise errors.DefaultRateMustBeActive
    if rate.is_default and not after["is_default"]:
        raise errors.DefaultRateMustBeActive("Make another rate the default instead.")
    if after["is_default"] and not rate.is_default:
        _give_up_default(actor)
    for name in changed:
        setattr(rate, name, changes[name])
    _save(rate, actor)
    audit.record(events.TaxRateChanged(subject_id=rate.id, fields=changed), actor=actor)
    return rate


@step
@transaction.atomic
def record_first_tax_rate(*, actor: Actor) -> None:
    """Give a new organization the rate that is no tax, as its default."""
    actor.require("products.add_taxrate")
    if not TaxRate.objects.exists():
        record_tax_rate(
            actor=actor,
            code=NO_TAX_CODE,
            name="No tax",
            category=TaxCategory.OUTSIDE_SCOPE,
            percent=Decimal(0),
            is_default=True,
        )


def _check_price(price: Money) -> None:
    if price.is_negative:
        raise errors.NegativePrice.field("list_price", detail="A price is not below zero.")


def _check_rates(rate_ids: set[UUID]) -> None:
    if rate_ids and TaxRate.objects.active().filter(pk__in=rate_ids).count() != len(rate_ids):
        raise errors.UnknownTaxRate.field("tax_rate", detail="There is no such active tax rate.")


def _check_codes(codes: Sequence[str]) -> None:
    lowered = [code.lower() for code in codes]
    taken = Product.objects.with_codes(lowered)
    if len(set(lowered)) != len(lowered) or taken.exists():
        raise errors.ProductCodeTaken


def _changed(
    row: Product | TaxRate, changes: Mapping[str, Any], changeable: frozenset[str]
) -> tuple[str, ...]:
    unknown = set(changes) - changeable
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    return tuple(sorted(name for name in changes if getattr(row, name) != changes[name]))


def _give_up_default(actor: Actor) -> None:
    for former in TaxRate.objects.filter(is_default=True).for_change():
        former.is_default = False
        _save(former, actor)


def _save(row: Product | TaxRate, actor: Actor) -> None:
    row.raise_version()
    row.updated_by_id = actor.user_id
    row.save()
