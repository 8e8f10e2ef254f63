"""Deals are recorded and changed through the API."""

from typing import Any
from uuid import uuid4

import pytest

from tenant_apps.deals.models import Deal
from tests.cast import Cast
from tests.deals.stories import a_deal, a_won_deal, path

MONEY = {"amount": "1250.00", "currency": "KES"}


def test_are_recorded_by_a_salesperson_as_their_own(cast: Cast) -> None:
    answer = cast.api("olga").post("deals/", {"name": "Solar roof", "value": MONEY})

    assert answer.status_code == 201, answer.json()
    body = answer.json()
    assert (body["stage"], body["value"]) == ("prospecting", MONEY)
    assert body["owner"] == str(cast.user("olga").pk)
    assert body["unit"] == str(cast.unit_of("olga").pk)
    assert answer["ETag"] == '"1"'


def test_are_recorded_by_a_lead_for_a_member(cast: Cast) -> None:
    answer = cast.api("lea").post(
        "deals/", {"value": MONEY, "owner": str(cast.user("paul").pk), "stage": "engaging"}
    )

    assert answer.status_code == 201
    assert answer.json()["owner"] == str(cast.user("paul").pk)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/value"),
        ({"value": "1250.00"}, "/value"),
        ({"value": {"amount": 1250, "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1250.0", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1250.00", "currency": "XXQ"}}, "/value"),
        ({"value": {"amount": "-1.00", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "99999999999999999999.00", "currency": "KES"}}, "/value"),
        ({"value": {"amount": "1000000000000.01", "currency": "KES"}}, "/value"),
        ({"value": MONEY, "stage": "won"}, "/stage"),
        ({"value": MONEY, "reference": "DLID0001"}, "/reference"),
        ({"value": MONEY, "version": 7}, "/version"),
        ({"value": MONEY, "client": "nobody"}, "/client"),
        ({"value": MONEY, "client": str(uuid4())}, "/client"),
        ({"value": MONEY, "product": str(uuid4())}, "/product"),
        ({"value": MONEY, "tax_rate": str(uuid4())}, "/tax_rate"),
        ({"value": MONEY, "owner": str(uuid4())}, "/owner"),
        ({"value": MONEY, "name": "x" * 201}, "/name"),
        ({"value": MONEY, "staged_on": "2026-13-01"}, "/staged_on"),
    ],
)
def test_are_refused_with_the_place_of_the_mistake(
    cast: Cast, body: dict[str, Any], pointer: str
) -> None:
    answer = cast.api("olga").post("deals/", body)

    assert answer.status_code == 400, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert pointer in [error["pointer"].rstrip("/") for error in answer.json()["errors"]]
    assert not Deal.objects.exists()


def test_change_under_their_etag(cast: Cast) -> None:
    deal = a_deal(cast)
    olga = cast.api("olga")

    first = olga.patch(path(deal), {"name": "Roof"}, HTTP_IF_MATCH='"1"')
    second = olga.patch(path(deal), {"name": "Barn"}, HTTP_IF_MATCH='"1"')

    assert (first.status_code, first["ETag"]) == (200, '"2"')
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    deal.refresh_from_db()
    assert deal.name == "Roof"


def test_keep_their_value_when_it_is_not_sent(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("olga").patch(path(deal), {"name": "Roof"})

    assert answer.json()["value"] == MONEY


@pytest.mark.parametrize(
    "body",
    [
        {"stage": "won"},
        {"owner": "x"},
        {"currency": "USD"},
        {"closed_on": "2026-01-01"},
        {"external_reference": "x"},
        {"id": "x"},
    ],
)
def test_are_not_changed_where_they_do_not_change(cast: Cast, body: dict[str, str]) -> None:
    deal = a_deal(cast)

    assert cast.api("olga").patch(path(deal), body).status_code == 400

    assert Deal.objects.get().version == 1


def test_in_another_currency_are_refused(cast: Cast) -> None:
    deal = a_deal(cast)

    answer = cast.api("olga").patch(path(deal), {"value": {"amount": "10.00", "currency": "USD"}})

    assert (answer.status_code, answer.json()["code"]) == (422, "deal_currency_differs")
    assert Deal.objects.get().currency == "KES"


def test_closed_ones_change_nothing_but_their_name(cast: Cast) -> None:
    deal = a_won_deal(cast)
    olga = cast.api("olga")

    assert olga.patch(path(deal), {"name": "Roof"}).status_code == 200
    refused = olga.patch(path(deal), {"value": {"amount": "1.00", "currency": "KES"}})

    assert (refused.status_code, refused.json()["code"]) == (409, "deal_closed")
    assert Deal.objects.get().value_minor == 125000


@pytest.mark.parametrize(
    ("name", "status"),
    [("paul", 404), ("oscar", 404), ("vera", 403), ("ada", 403), ("lea", 200), ("sam", 200)],
)
def test_are_changed_by_whom_the_table_says(cast: Cast, name: str, status: int) -> None:
    deal = a_deal(cast)

    answer = cast.api(name).patch(path(deal), {"name": "Roof"})

    assert answer.status_code == status
    assert Deal.objects.get().name == ("Roof" if status == 200 else "")
