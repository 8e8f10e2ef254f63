"""Whatever is sent to the addresses of sales is answered, and never by a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from shared_apps.kernel.api.throttling import RateLimit
from tenant_apps.invoices.models import Invoice, InvoiceSeries
from tenant_apps.products.models import TaxRate
from tests.cast import Cast, cast
from tests.deals.stories import a_client, a_deal, a_won_deal
from tests.parties.test_contacts import a_contact
from tests.products.test_products import a_product

__all__ = ["cast"]

pytestmark = pytest.mark.slow

TEXTS = [
    "", " ", "\x00", "a\x00b", "'", '"; DROP TABLE x;--', "%00", "\u202e", "x" * 5000, "-1",
    "NaN", "1e400", "9" * 40, "null", "[]", "{}", "0001-01-01", "9999-12-31", "10000-01-01",
    "2026-02-30", "2026-11-20T00:00:00", "00000000-0000-0000-0000-000000000000", "true",
    "\u0663", "1_000", "\x1b[31m", "\r\nBcc: x@y.test",
]  # fmt: skip
VALUES: list[Any] = [
    *TEXTS, None, True, False, 0, -1, 10**18, 10**30, 1.5, [], {}, [[]], {"a": 1}, ["x"],
    {"amount": "1.00"},
    {"amount": "1.00", "currency": "KES", "x": 1},
    {"amount": "92233720368547758.07", "currency": "KES"},
    {"amount": "0.00", "currency": "KES"},
    {"amount": None, "currency": None},
    {"amount": "1", "currency": "JPY"},
    {"amount": "1.000", "currency": "KWD"},
]  # fmt: skip
KES = {"amount": "1.00", "currency": "KES"}


def queries(world: dict[str, Any]) -> Iterator[tuple[str, str]]:
    parameters = {
        "deals/": "stage reference name client owner currency engaged_from closed_to"
        " external_reference ordering cursor page_size expand",
        "clients/": "name kind country sector owner parent_company",
        f"clients/{world['client']}/contacts/": "is_primary receives_invoices",
        "products/": "code name series is_active",
        "tax-rates/": "code category is_default",
        "invoices/": "state number deal recipient issued_from overdue_on is_approved expand",
        f"deals/{world['deal']}/stage-changes/": "to_stage",
        f"deals/{world['deal']}/activities/": "kind",
        f"deals/{world['deal']}/history/": "cursor",
    }
    for path, names in parameters.items():
        for name in names.split():
            yield from ((path, f"{name}={quote(text)}") for text in TEXTS)
            yield path, f"{name}=%ED%A0%80"
            yield path, f"{name}=1&{name}=2"


def writes(world: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any], str]]:
    """Who does what where: a good body, and the fields that are made bad one by one."""
    deal, client = f"deals/{world['deal']}/", f"clients/{world['client']}/"
    yield "sam", "post", "deals/", {"value": KES}, (
        "name client product tax_rate value expected_close_on stage staged_on owner"
        " external_source external_reference"
    )  # fmt: skip
    yield "sam", "patch", deal, {}, "name client product tax_rate value expected_close_on"
    yield "sam", "post", f"{deal}stage-changes/", {"to_stage": "engaging"}, (
        "to_stage occurred_on comment value client"
    )  # fmt: skip
    yield (
        "sam",
        "post",
        f"{deal}activities/",
        {"kind": "note", "text": "x"},
        "kind text happened_at",
    )
    yield "sam", "post", f"{deal}assignment/", {}, "owner"
    yield "sam", "post", "clients/", {"name": "x"}, (
        "name kind tax_number email phone address parent_company payment_terms_days"
    )  # fmt: skip
    yield "sam", "patch", client, {}, "name kind email address parent_company payment_terms_days"
    yield "sam", "post", f"{client}contacts/", {"full_name": "x"}, "full_name email is_primary"
    yield "sam", "patch", f"{client}contacts/{world['contact']}/", {}, "full_name email is_primary"
    yield "ada", "post", "products/", {"code": "1", "name": "x", "list_price": KES}, (
        "code name series list_price tax_rate"
    )  # fmt: skip
    yield "ada", "patch", f"products/{world['product']}/", {}, "name list_price tax_rate is_active"
    rate = {"code": "1", "name": "x", "category": "S", "percent": "1"}
    yield "ada", "post", "tax-rates/", rate, "code name category percent is_default"
    yield "ada", "patch", f"tax-rates/{world['rate']}/", {}, "name is_default is_active"
    yield "ada", "patch", f"invoice-series/{world['series']}/", {}, "payment_terms_days note"
    yield "vera", "post", f"invoices/{world['invoice']}/approval/", {}, "comment"


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    client = a_client(cast)
    a_won_deal(cast)
    return {
        "client": client.pk,
        "contact": a_contact(cast, client).pk,
        "deal": a_deal(cast, client_id=client.pk).pk,
        "product": a_product(cast).pk,
        "rate": TaxRate.objects.get().pk,
        "series": InvoiceSeries.objects.get().pk,
        "invoice": Invoice.objects.get().pk,
    }


def test_in_a_query(cast: Cast, world: dict[str, Any]) -> None:
    sam = cast.api("sam")

    faults = [
        (path, query)
        for path, query in queries(world)
        if sam.get(f"{path}?{query}").status_code >= 500
    ]

    assert faults == []


def test_in_a_body(cast: Cast, world: dict[str, Any]) -> None:
    callers = {name: cast.api(name) for name in ("sam", "ada", "vera")}
    faults = []
    for name, method, path, good, fields in writes(world):
        send = getattr(callers[name], method)
        bodies = [{**good, field: value} for field in fields.split() for value in VALUES]
        for body in (*bodies, [], "x", 1):
            if send(path, body).status_code >= 500:
                faults.append((method, path, json.dumps(body)[:200]))

    assert faults == []


@pytest.mark.parametrize("etag", ['"0"', '"-1"', 'W/"1"', '"99999999999"', "x", '""', '"1", "2"'])
def test_in_a_precondition(cast: Cast, world: dict[str, Any], etag: str) -> None:
    answer = cast.api("sam").patch(f"deals/{world['deal']}/", {"name": "e"}, HTTP_IF_MATCH=etag)

    assert answer.status_code == 412


def test_one_absurd_deal_does_not_stop_the_books(cast: Cast, world: dict[str, Any]) -> None:
    olga = cast.api("olga")
    most = {"amount": "1000000000000.00", "currency": "KES"}
    for value in (most, most, most, KES):
        deal = a_deal(cast, client_id=world["client"])
        answer = olga.post(f"deals/{deal.pk}/stage-changes/", {"to_stage": "won", "value": value})
        assert answer.status_code == 201, answer.json()
