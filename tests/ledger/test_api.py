"""The books through the API, as the people of an organization see them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from tenant_apps.ledger.models import FiscalPeriod, Transfer
from tenant_apps.ledger.services import post
from tests.cast import Cast, cast
from tests.ledger.conftest import posting

__all__ = ["cast"]

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def ada(cast: Cast) -> Any:
    return cast.api("ada")


def journal(**changes: Any) -> dict[str, Any]:
    money = {"amount": "800.00", "currency": "KES"}
    return {
        "effective_on": "2026-11-05",
        "memo": "Rent of November",
        "lines": [
            {"account_code": "5200", "side": "debit", "amount": money},
            {"account_code": "1010", "side": "credit", "amount": money},
        ],
        **changes,
    }


def _path(address: str) -> str:
    return address.removeprefix("http://acme.kontor.test")


def test_an_admin_posts_a_journal_reads_it_and_undoes_it(ada: Any) -> None:
    made = ada.post("ledger/journals/", journal())
    assert made.status_code == 201, made.json()
    body = made.json()
    assert (body["kind"], body["is_reversed"], len(body["legs"])) == ("manual", False, 1)
    assert body["legs"][0]["amount"] == {"amount": "800.00", "currency": "KES"}
    assert body["legs"][0]["credit_balance"] == {"amount": "-800.00", "currency": "KES"}
    address = f"ledger/journals/{body['id']}/"
    assert ada.get(address).json() == body

    undone = ada.post(f"{address}reversal/", {"effective_on": "2026-11-06", "memo": "Paid twice"})
    assert undone.status_code == 201, undone.json()
    assert undone.json()["reverses_journal_id"] == body["id"]
    assert ada.get(address).json()["is_reversed"] is True
    again = ada.post(f"{address}reversal/", {"effective_on": "2026-11-06"})
    assert (again.status_code, again.json()["code"]) == (409, "already_reversed")
    listed = ada.get("ledger/journals/").json()["results"]
    assert {row["id"] for row in listed} == {body["id"], undone.json()["id"]}


def test_a_journal_needs_a_key_and_can_be_tried(ada: Any) -> None:
    refused = ada.post("ledger/journals/", journal(), key=None)
    assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_required")
    tried = ada.post("ledger/journals/?dry_run=true", journal())
    assert tried.status_code == 201
    assert not Transfer.objects.exists()
    first = ada.post("ledger/journals/", journal(), key="rent")
    second = ada.post("ledger/journals/", journal(), key="rent")
    assert second.json() == first.json()
    assert Transfer.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"lines": []}, 400, None),
        ({"memo": ""}, 400, None),
        ({"effective_on": "soon"}, 400, None),
        ({"surprise": 1}, 400, None),
        (
            {
                "lines": [
                    {
                        "account_code": "5200",
                        "side": "debit",
                        "amount": {"amount": "1.00", "currency": "KES"},
                    },
                    {
                        "account_code": "1010",
                        "side": "credit",
                        "amount": {"amount": "2.00", "currency": "KES"},
                    },
                ]
            },
            400,
            "uneven_journal",
        ),
    ],
)
def test_a_wrong_journal_is_refused(
    ada: Any, changes: dict[str, Any], status: int, code: str | None
) -> None:
    answer = ada.post("ledger/journals/", journal(**changes))
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert not Transfer.objects.exists()


def test_huge_amounts_are_refused_not_wrapped(ada: Any) -> None:
    huge = {"amount": "92233720368547758.07", "currency": "KES"}
    lines = [
        {"account_code": "5200", "side": "debit", "amount": huge},
        {"account_code": "1010", "side": "credit", "amount": huge},
    ]
    assert ada.post("ledger/journals/", journal(lines=lines)).status_code == 201
    answer = ada.post("ledger/journals/", journal(lines=lines))
    assert (answer.status_code, answer.json()["code"]) == (422, "amount_out_of_range")


def test_opening_balances_and_the_trial_balance(ada: Any) -> None:
    body = {
        "effective_on": "2026-01-01",
        "lines": [
            {"account_code": "1010", "amount": {"amount": "500.00", "currency": "KES"}},
            {"account_code": "2300", "amount": {"amount": "200.00", "currency": "KES"}},
        ],
    }
    made = ada.post("ledger/opening-balances/", body)
    assert (made.status_code, made.json()["kind"]) == (201, "opening")
    books = ada.get("ledger/trial-balance/").json()
    rows = books["rows"]
    assert [(row["code"], row["debit"]["amount"], row["credit"]["amount"]) for row in rows] == [
        ("1010", "500.00", "0.00"),
        ("2300", "0.00", "200.00"),
        ("3000", "0.00", "300.00"),
    ]
    assert books["totals"][0]["difference"] == {"amount": "0.00", "currency": "KES"}
    assert ada.get("ledger/trial-balance/?as_of=2025-12-31").json()["rows"] == []
    assert ada.get("ledger/trial-balance/?as_of=yesterday").status_code == 400


def test_an_account_and_its_statement(ada: Any) -> None:
    customer = uuid4()
    many = [posting("payment.received.cash", amount=f"{n}.00", party=customer) for n in (1, 2, 3)]
    post(postings=many, actor=system_actor("test"))
    accounts = ada.get(f"ledger/accounts/?subledger_id={customer}").json()["results"]
    (account,) = accounts
    assert account["balance"] == {"amount": "6.00", "currency": "KES"}
    address = f"ledger/accounts/{account['id']}/statement/"
    first = ada.get(f"{address}?page_size=2").json()
    lines = first["results"]
    assert [line["version"] for line in lines] == [3, 2]
    assert [line["amount"]["amount"] for line in lines] == ["3.00", "2.00"]
    assert [line["balance"]["amount"] for line in lines] == ["6.00", "3.00"]
    assert {line["other_account"]["code"] for line in lines} == {"1000"}
    second = ada.get(_path(first["next"])).json()
    assert [line["version"] for line in second["results"]] == [1]
    assert ada.get(_path(second["previous"])).json()["results"] == lines
    chart = ada.get("ledger/accounts/?code=2000&is_chart_line=true").json()["results"][0]
    assert chart["balance"] is None
    refused = ada.get(f"ledger/accounts/{chart['id']}/statement/")
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_account")
    assert f"?parent={chart['id']}" in refused.json()["detail"]
    assert ada.get(f"ledger/accounts/{uuid4()}/statement/").status_code == 404


def test_lists_cost_the_same_for_one_row_and_for_twenty(ada: Any) -> None:
    customers = [uuid4() for _ in range(20)]
    lists = [
        "ledger/accounts/",
        "ledger/journals/",
        "ledger/transfers/",
        "ledger/posting-rules/",
        "ledger/periods/",
        "ledger/trial-balance/",
    ]
    ada.get(lists[0])  # from here on, the domain is cached
    costs = []
    for people in (customers[:1], customers):
        many = [posting("invoice.issued", net="2.00", tax="1.00", party=one) for one in people]
        post(postings=many, actor=system_actor("test"))
        cost = {}
        for address in lists:
            assert ada.get(address).status_code == 200
            cost[address] = len(ada.statements)
        costs.append(cost)
    assert costs[0] == costs[1]


def test_transfers_are_found_by_source_and_account(ada: Any) -> None:
    customer = uuid4()
    sale = posting("invoice.issued", net="2.00", tax="1.00", party=customer)
    post(postings=[sale], actor=system_actor("test"))
    found = ada.get(f"ledger/transfers/?source_id={sale.source_id}").json()["results"]
    assert len(found) == 2
    account = found[0]["debit_account_id"]
    assert len(ada.get(f"ledger/transfers/?account={account}").json()["results"]) == 2
    assert ada.get(f"ledger/transfers/{found[0]['id']}/").json() == found[0]
    assert ada.get(f"ledger/journals/?source_id={sale.source_id}").json()["results"][0]["legs"]
    assert ada.get("ledger/transfers/?surprise=1").status_code == 400


def test_the_chart_is_extended_closed_and_reopened(ada: Any) -> None:
    body = {"code": "5210", "name": "Electricity", "kind": "expense"}
    made = ada.post("ledger/accounts/", body)
    assert (made.status_code, made.json()["normal_side"], made.json()["balance"]) == (
        201,
        "debit",
        None,
    )
    assert ada.post("ledger/accounts/", body).json()["code"] == "account_code_taken"
    assert ada.post("ledger/accounts/", {**body, "code": "5 2"}).status_code == 400
    address = f"ledger/accounts/{made.json()['id']}/"
    assert ada.post(f"{address}closing/").json()["status"] == "closed"
    assert ada.post(f"{address}closing/").status_code == 409
    assert ada.post(f"{address}reopening/").json()["status"] == "open"


def test_periods_are_closed_and_reopened(ada: Any) -> None:
    period = FiscalPeriod.objects.get(starts_on="2026-10-01")
    address = f"ledger/periods/{period.id}/"
    closed = ada.post(f"{address}closing/")
    assert (closed.status_code, closed.json()["state"]) == (201, "closed")
    assert ada.post(f"{address}closing/").status_code == 409
    late = ada.post("ledger/journals/", journal(effective_on="2026-10-31"))
    assert (late.status_code, late.json()["code"]) == (422, "period_closed")
    assert ada.post(f"{address}reopening/", {}).status_code == 400
    opened = ada.post(f"{address}reopening/", {"reason": "Late invoice"})
    assert (opened.status_code, opened.json()["state"]) == (201, "open")
    years = ada.post("ledger/fiscal-years/", {"fiscal_year": 2027})
    assert (years.status_code, len(years.json())) == (201, 12)
    assert ada.post("ledger/fiscal-years/", {"fiscal_year": 2027}).status_code == 409


def test_who_reads_and_who_writes(cast: Cast) -> None:
    post(
        postings=[posting("payment.received.cash", amount="1.00", party=uuid4())],
        actor=system_actor("test"),
    )
    reads = ["accounts", "transfers", "journals", "trial-balance", "posting-rules", "periods"]
    for name, may in {"ada": 200, "sam": 200, "vera": 403, "olga": 403, "lea": 403}.items():
        person = cast.api(name)
        for noun in reads:
            assert person.get(f"ledger/{noun}/").status_code == may, (name, noun)
    period = FiscalPeriod.objects.get(starts_on="2026-10-01")
    for name in ("sam", "vera", "olga", "lea"):
        person = cast.api(name)
        assert person.post("ledger/journals/", journal()).status_code == 403
        opening = {
            "effective_on": "2026-01-01",
            "lines": [{"account_code": "1010", "amount": {"amount": "1.00", "currency": "KES"}}],
        }
        assert person.post("ledger/opening-balances/", opening).status_code == 403
        assert person.post(f"ledger/periods/{period.id}/closing/").status_code == 403
        assert person.post("ledger/fiscal-years/", {"fiscal_year": 2030}).status_code == 403
        new = {"code": "5210", "name": "Electricity", "kind": "expense"}
        assert person.post("ledger/accounts/", new).status_code == 403
    assert Transfer.objects.count() == 1
    period.refresh_from_db()
    assert period.state == "open"
