"""`as_of` and `known_at` through the API."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import Account
from tenant_apps.ledger.services import post
from tests.cast import Cast, cast
from tests.ledger.conftest import posting

__all__ = ["cast"]

ENTERED = "2026-11-09T18:00:00+03:00"
BEFORE = "2026-11-09T17:59:59+03:00"


@pytest.fixture
def account(cast: Cast) -> Iterator[str]:
    """A customer who was invoiced on the 3rd, 4th and 6th; the 4th was entered on the 9th."""
    customer = uuid4()

    def sell(amount: str, day: int) -> None:
        sale = posting(
            "invoice.issued", net=amount, tax="0.00", party=customer, day=date(2026, 11, day)
        )
        post(postings=[sale], actor=system_actor("test"))

    with clock.frozen(datetime(2026, 11, 3, 9, tzinfo=UTC)) as now:
        sell("100.00", 3)
        now.move_to(datetime(2026, 11, 6, 9, tzinfo=UTC))
        sell("10.00", 6)
        now.move_to(datetime(2026, 11, 9, 15, tzinfo=UTC))
        settle()
        sell("1.00", 4)
        now.move_to(datetime(2026, 11, 9, 15, 1, tzinfo=UTC))
        settle()
        now.move_to(datetime(2026, 11, 20, tzinfo=UTC))
        settle()
        now.advance(seconds=1)
        yield str(Account.objects.get(code="1200", subledger_id=customer).id)


@pytest.fixture
def ada(cast: Cast) -> Any:
    return cast.api("ada")


def kes(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "KES"}


def test_an_account_at_another_time(ada: Any, account: str) -> None:
    address = f"ledger/accounts/{account}/"
    assert ada.get(address).json()["balance"] == kes("111.00")
    assert ada.get(f"{address}?as_of=2026-11-05").json()["balance"] == kes("101.00")
    then = f"{address}?known_at={quote('2026-11-09T18:01:00+03:00')}"
    assert ada.get(then).json()["balance"] == kes("111.00")
    assert ada.get(f"{address}?known_at={quote(BEFORE)}").json()["held"] is None
    both = f"?as_of=2026-11-05&known_at={quote(BEFORE)}"
    assert ada.get(address + both).json()["balance"] == kes("100.00")
    listed = ada.get(f"ledger/accounts/{both}&code=1200").json()["results"]
    assert {row["id"]: row["balance"] for row in listed if row["currency"]} == {
        account: kes("100.00")
    }
    chart = ada.get(f"ledger/accounts/{both}&is_chart_line=true").json()["results"]
    assert {str(row["balance"]) for row in chart} == {"None"}


def test_a_statement_by_effective_day_as_it_was_known(ada: Any, account: str) -> None:
    address = f"ledger/accounts/{account}/statement/"
    plain = ada.get(address).json()
    assert [line["balance"]["amount"] for line in plain["results"]] == [
        "111.00",
        "110.00",
        "100.00",
    ]
    assert (plain["opening_balance"], plain["closing_balance"]) == (None, None)

    now = ada.get(f"{address}?as_of=2026-11-30").json()
    shown = [(line["effective_on"], line["balance"]["amount"]) for line in now["results"]]
    assert shown == [("2026-11-06", "111.00"), ("2026-11-04", "101.00"), ("2026-11-03", "100.00")]
    assert (now["opening_balance"], now["closing_balance"]) == (kes("0.00"), kes("111.00"))

    then = ada.get(f"{address}?known_at={quote(BEFORE)}&effective_from=2026-11-04").json()
    shown = [(line["effective_on"], line["balance"]["amount"]) for line in then["results"]]
    assert shown == [("2026-11-06", "110.00")]
    assert (then["opening_balance"], then["closing_balance"]) == (kes("100.00"), kes("110.00"))
    assert {line["other_account"]["code"] for line in then["results"]} == {"4000"}


def test_its_pages_are_walked_both_ways(ada: Any, account: str) -> None:
    address = f"ledger/accounts/{account}/statement/?as_of=2026-11-30&page_size=2"
    first = ada.get(address).json()
    second = ada.get(_path(first["next"])).json()
    assert [line["balance"]["amount"] for line in second["results"]] == ["100.00"]
    assert second["next"] is None
    again = ada.get(_path(second["previous"])).json()
    assert (again["results"], again["previous"]) == (first["results"], None)
    other = _path(first["next"]).replace("2026-11-30", "2026-11-29")
    assert ada.get(other).json()["code"] == "invalid_cursor"
    assert ada.get(f"{address}&cursor=none").status_code == 400


def test_a_backdated_posting_moves_the_pages_after_it(ada: Any, account: str) -> None:
    address = f"ledger/accounts/{account}/statement/?as_of=2026-11-30&page_size=2"
    first = ada.get(address).json()
    customer = Account.objects.get(id=account).subledger_id
    sale = posting("invoice.issued", net="5.00", tax="0.00", party=customer, day=date(2026, 11, 2))
    post(postings=[sale], actor=system_actor("test"))
    second = ada.get(_path(first["next"])).json()
    assert [line["balance"]["amount"] for line in second["results"]] == ["105.00", "5.00"]


def test_the_trial_balance_at_another_time(ada: Any, account: str) -> None:
    then = ada.get(f"ledger/trial-balance/?as_of=2026-11-05&known_at={quote(BEFORE)}").json()
    assert (then["as_of"], then["known_at"]) == ("2026-11-05", "2026-11-09T14:59:59Z")
    assert [(row["code"], row["debit"]["amount"]) for row in then["rows"]] == [
        ("1200", "100.00"),
        ("4000", "0.00"),
    ]
    assert then["totals"][0]["difference"] == kes("0.00")
    now = ada.get("ledger/trial-balance/?as_of=2026-11-05").json()
    assert now["rows"][0]["debit"] == kes("101.00")


@pytest.mark.parametrize("noun", ["trial-balance/", "accounts/", "accounts/{}/statement/"])
def test_refuses_instants_and_days_that_cannot_be_told(ada: Any, account: str, noun: str) -> None:
    address = "ledger/" + noun.format(account)
    for query, status, code in (
        (f"known_at={quote('2026-11-20T03:00:02+03:00')}", 400, "instant_in_future"),
        (f"known_at={quote('2026-11-20T03:00:01+03:00')}", 409, "instant_not_settled"),
        ("known_at=2026-11-20T00:00:00", 400, None),
        ("known_at=2026-11-20", 400, None),
        ("known_at=yesterday", 400, None),
        ("as_of=9999-99-99", 400, None),
        ("as_of=0001-01-01", 400, None),
        ("as_off=2026-11-01", 400, "unknown_parameter"),
    ):
        answer = ada.get(f"{address}?{query}")
        assert answer.status_code == status, (query, answer.json())
        assert code in (None, answer.json()["code"])
    refused = ada.get(f"{address}?known_at={quote('2026-11-20T03:00:01+03:00')}")
    assert refused.json()["settled_until"] == "2026-11-20T00:00:00+00:00"
    assert refused.headers["Retry-After"] == "60"


def test_who_may_read(cast: Cast, account: str) -> None:
    for name, status in {"ada": 200, "sam": 200, "vera": 403, "olga": 403}.items():
        person = cast.api(name)
        for address in ("trial-balance/", f"accounts/{account}/statement/", f"accounts/{account}/"):
            assert person.get(f"ledger/{address}?as_of=2026-11-05").status_code == status


def _path(address: str) -> str:
    return address.removeprefix("http://acme.kontor.test")
