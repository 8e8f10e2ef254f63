"""Products and tax rates."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, PreconditionFailed
from shared_apps.kernel.money import Money
from tenant_apps.products import errors
from tenant_apps.products.models import Product, TaxRate
from tenant_apps.products.selectors import default_tax_rate, products_by_code, rate_for
from tenant_apps.products.services import (
    NewProduct,
    change_product,
    change_tax_rate,
    record_products,
    record_tax_rate,
)
from tests.cast import Cast


def a_product(cast: Cast, **values: Any) -> Product:
    new = NewProduct(
        **{
            "code": "GTX-PRO",
            "name": "GTX Pro",
            "list_price": Money.parse("4821.00", "KES"),
            **values,
        }
    )
    return record_products(actor=cast.system, products=[new])[0]


def vat(cast: Cast, **values: Any) -> TaxRate:
    return record_tax_rate(
        **{
            "actor": cast.system,
            "code": "VAT16",
            "name": "VAT",
            "category": "S",
            "percent": Decimal(16),
            **values,
        }
    )


def test_a_new_organization_starts_without_tax(cast: Cast) -> None:
    rate = default_tax_rate()

    assert (rate.code, rate.category, rate.percent) == ("NONE", "O", 0)


@pytest.mark.parametrize("code", ["GTX-PRO", "gtx-pro"])
def test_a_code_is_given_once_whatever_its_case(cast: Cast, code: str) -> None:
    a_product(cast)

    with pytest.raises(errors.ProductCodeTaken):
        a_product(cast, code=code)

    assert Product.objects.count() == 1
    assert set(products_by_code(codes=["GTX-Pro", "MG"])) == {"gtx-pro"}


def test_the_database_holds_that_too(cast: Cast) -> None:
    a_product(cast)

    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.create(code="gtx-pro", name="x", list_price_minor=1, currency="KES")


def test_a_price_below_zero_is_refused(cast: Cast) -> None:
    with pytest.raises(errors.NegativePrice):
        a_product(cast, list_price=Money.parse("-0.01", "KES"))

    assert not Product.objects.exists()


def test_a_rate_that_is_not_there_is_refused(cast: Cast) -> None:
    with pytest.raises(errors.UnknownTaxRate):
        a_product(cast, tax_rate_id=uuid4())

    assert not Product.objects.exists()


def test_an_inactive_rate_is_refused(cast: Cast) -> None:
    rate = vat(cast)
    change_tax_rate(actor=cast.system, tax_rate_id=rate.pk, changes={"is_active": False})

    with pytest.raises(errors.UnknownTaxRate):
        a_product(cast, tax_rate_id=rate.pk)


@pytest.mark.parametrize("name", ["sam", "ada"])
def test_supervisor_and_admin_change_products(cast: Cast, name: str) -> None:
    product = change_product(
        actor=cast.actor(name),
        product_id=a_product(cast).pk,
        changes={"list_price": Money.parse("5000.00", "KES")},
    )

    assert (product.list_price.to_string(), product.version) == ("5000.00", 2)


@pytest.mark.parametrize("name", ["olga", "lea", "vera"])
def test_others_see_products_and_change_none(cast: Cast, name: str) -> None:
    product = a_product(cast)

    with pytest.raises(Forbidden):
        change_product(actor=cast.actor(name), product_id=product.pk, changes={"name": "x"})
    with pytest.raises(Forbidden):
        record_products(
            actor=cast.actor(name),
            products=[NewProduct(code="X", name="X", list_price=Money.zero("KES"))],
        )

    product.refresh_from_db()
    assert (product.name, product.version) == ("GTX Pro", 1)
    assert Product.objects.count() == 1


def test_a_stale_version_changes_nothing(cast: Cast) -> None:
    product = a_product(cast)

    with pytest.raises(PreconditionFailed):
        change_product(
            actor=cast.system, product_id=product.pk, changes={"name": "x"}, expected_version=2
        )

    product.refresh_from_db()
    assert product.name == "GTX Pro"


@pytest.mark.parametrize(("category", "percent"), [("S", 0), ("O", 16), ("Z", 1), ("S", 101)])
def test_a_percent_fits_its_category(cast: Cast, category: str, percent: int) -> None:
    with pytest.raises(errors.PercentDoesNotFitCategory):
        vat(cast, category=category, percent=Decimal(percent))
    with pytest.raises(IntegrityError), transaction.atomic():
        TaxRate.objects.create(code="X", name="X", category=category, percent=percent)

    assert TaxRate.objects.count() == 1


def test_a_new_default_takes_the_place_of_the_former(cast: Cast) -> None:
    rate = vat(cast, is_default=True)

    assert default_tax_rate() == rate
    assert TaxRate.objects.filter(is_default=True).count() == 1


def test_the_default_stays_active_and_stays(cast: Cast) -> None:
    rate = default_tax_rate()

    for changes in ({"is_active": False}, {"is_default": False}):
        with pytest.raises(errors.DefaultRateMustBeActive):
            change_tax_rate(actor=cast.system, tax_rate_id=rate.pk, changes=changes)

    assert default_tax_rate() == rate


def test_an_inactive_rate_does_not_become_the_default(cast: Cast) -> None:
    rate = vat(cast)
    change_tax_rate(actor=cast.system, tax_rate_id=rate.pk, changes={"is_active": False})

    with pytest.raises(errors.DefaultRateMustBeActive):
        change_tax_rate(actor=cast.system, tax_rate_id=rate.pk, changes={"is_default": True})

    assert default_tax_rate().code == "NONE"


@pytest.mark.parametrize("name", ["olga", "lea", "vera", "sam"])
def test_only_admins_keep_tax_rates(cast: Cast, name: str) -> None:
    with pytest.raises(Forbidden):
        vat(cast, actor=cast.actor(name))
    with pytest.raises(Forbidden):
        change_tax_rate(
            actor=cast.actor(name), tax_rate_id=default_tax_rate().pk, changes={"name": "x"}
        )

    assert TaxRate.objects.get().name == "No tax"


def test_the_rate_of_a_sale_is_the_deals_then_the_products_then_the_default(cast: Cast) -> None:
    default, own = default_tax_rate(), vat(cast)
    reduced = vat(cast, code="VAT8", percent=Decimal(8))
    taxed = a_product(cast, tax_rate_id=own.pk)
    plain = a_product(cast, code="PLAIN")

    assert rate_for(deal_rate=reduced, product=taxed, default=default) == reduced
    assert rate_for(deal_rate=None, product=taxed, default=default) == own
    assert rate_for(deal_rate=None, product=plain, default=default) == default
    assert rate_for(deal_rate=None, product=None, default=default) == default


def test_products_are_audited(cast: Cast) -> None:
    product = a_product(cast)

    entry = AuditEntry.objects.get(event_name="products.product_recorded")
    assert entry.payload["list_price_minor"] == product.list_price_minor
