"""Products and tax rates through the API ..."""

from typing import Any
from uuid import uuid4

import pytest

from tenant_apps.products.models import Product, TaxRate
from tests.cast import Cast
from tests.products.test_products import a_product, vat

PRICE = {"amount": "4821.00", "currency": "KES"}


def test_are_recorded_by_supervisor_and_admin(cast: Cast) -> None:
    for number, name in enumerate(("sam", "ada")):
        answer = cast.api(name).post(
            "products/", {"code": f"P{number}", "name": "GTX Pro", "list_price": PRICE}
        )
        assert answer.status_code == 201, answer.json()
        assert answer.json()["list_price"] == PRICE


@pytest.mark.parametrize("name", ["olga", "lea", "vera"])
def test_are_seen_and_not_changed_by_others(cast: Cast, name: str) -> None:
    product = a_product(cast)
    caller = cast.api(name)

    assert caller.get(f"products/{product.pk}/").status_code == 200
    assert caller.patch(f"products/{product.pk}/", {"name": "x"}).status_code == 403
    body = {"code": "X", "name": "x", "list_price": PRICE}
    assert caller.post("products/", body).status_code == 403
    assert Product.objects.get().name == "GTX Pro"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "list_price": PRICE},
        {"code": "X", "name": "x"},
        {"code": "X", "name": "x", "list_price": {"amount": "-1.00", "currency": "KES"}},
        {"code": "X", "name": "x", "list_price": {"amount": "1", "currency": "KES"}},
        {"code": "X", "name": "x", "list_price": PRICE, "tax_rate": str(uuid4())},
        {"code": "X" * 41, "name": "x", "list_price": PRICE},
        {"code": "X", "name": "x", "list_price": PRICE, "version": 2},
    ],
)
def test_are_refused_with_what_is_wrong(cast: Cast, body: dict[str, Any]) -> None:
    assert cast.api("sam").post("products/", body).status_code == 400
    assert not Product.objects.exists()


def test_a_code_that_is_taken_is_a_conflict(cast: Cast) -> None:
    a_product(cast)

    answer = cast.api("sam").post(
        "products/", {"code": "gtx-pro", "name": "x", "list_price": PRICE}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "product_code_taken")


def test_show_their_tax_rate_on_request(cast: Cast) -> None:
    product = a_product(cast, tax_rate_id=vat(cast).pk)

    body = cast.api("olga").get(f"products/{product.pk}/?expand=tax_rate").json()

    assert body["tax_rate"]["percent"] == "16.000"


def test_cost_the_same_statements_for_one_and_for_twenty(cast: Cast) -> None:
    sam = cast.api("sam")
    rate = vat(cast)
    a_product(cast, tax_rate_id=rate.pk)
    paths = ("products/", "products/?expand=tax_rate&ordering=code", "tax-rates/")
    assert sam.get("products/").status_code == 200  # the routing has cached the host by now
    counts: dict[str, list[int]] = {}
    for round_ in range(2):
        for path in paths:
            assert sam.get(path).status_code == 200
            counts.setdefault(path, []).append(len(sam.statements))
        for number in range(19):
            a_product(cast, code=f"{round_}-{number}", tax_rate_id=rate.pk)
            vat(cast, code=f"{round_}-{number}")

    assert all(one == twenty for one, twenty in counts.values()), counts


def test_tax_rates_are_kept_by_admins(cast: Cast) -> None:
    body = {"code": "VAT16", "name": "VAT", "category": "S", "percent": "16.000"}

    assert cast.api("sam").post("tax-rates/", body).status_code == 403
    made = cast.api("ada").post("tax-rates/", {**body, "is_default": True})
    assert made.status_code == 201, made.json()
    path = f"tax-rates/{made.json()['id']}/"
    assert cast.api("ada").patch(path, {"percent": "17"}).status_code == 400
    assert cast.api("ada").patch(path, {"name": "Value added tax"}).status_code == 200
    refused = cast.api("ada").patch(path, {"is_active": False})
    assert (refused.status_code, refused.json()["code"]) == (422, "default_rate_must_be_active")
    assert TaxRate.objects.get(is_default=True).code == "VAT16"


@pytest.mark.parametrize("percent", ["-1", "101", "16.0001", "NaN", "sixteen", None])
def test_a_percent_is_a_number_from_0_to_100(cast: Cast, percent: object) -> None:
    answer = cast.api("ada").post(
        "tax-rates/", {"code": "X", "name": "x", "category": "S", "percent": percent}
    )

    assert answer.status_code == 400
    assert TaxRate.objects.count() == 1
