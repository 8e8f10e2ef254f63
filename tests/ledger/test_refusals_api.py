"""A refusal of the books says what is wrong, where, and what to do about it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from tenant_apps.ledger.models import Account, FiscalPeriod, Transfer
from tenant_apps.ledger.services import post
from tests.cast import Cast, cast
from tests.ledger.conftest import posting

__all__ = ["cast"]


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with clock.frozen(datetime(2026, 11, 20, 9, tzinfo=UTC)):
        yield


@pytest.fixture
def ada(cast: Cast) -> Any:
    return cast.api("ada")


def line(code: str, side: str, amount: str = "1.00", **more: Any) -> dict[str, Any]:
    money = {"amount": amount, "currency": "KES"}
    return {"account_code": code, "side": side, "amount": money, **more}


def journal(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"effective_on": "2026-11-05", "memo": "By hand", "lines": list(lines), **changes}


RENT = (line("5200", "debit"), line("1010", "credit"))


def said(answer: Any) -> tuple[int, str]:
    """The status, and all that a reader is told."""
    problem = answer.json()
    details = [problem["detail"], *(error["detail"] for error in problem["errors"])]
    return answer.status_code, " ".join(details)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (journal(*RENT, effective_on="20261105"), "Days are written 2026-03-31."),
        (journal(*RENT, effective_on="2026-W45-4"), "Days are written 2026-03-31."),
        (journal(*RENT, effective_on="2026-02-30"), "Days are written 2026-03-31."),
        (
            journal(line("5200", "left"), line("1010", "credit")),
            "It is one of: debit, credit.",
        ),
        (
            journal(line("1200", "debit"), line("1010", "credit")),
            "1200 is kept by party: say which one.",
        ),
        (
            journal(line("5200", "debit", subledger_id=str(uuid4())), line("1010", "credit")),
            "5200 has no sub-ledger: leave this out.",
        ),
        (
            journal(line("1010", "debit", "3.00"), line("1010", "credit", "3.00")),
            "1010 is debited and credited in KES.",
        ),
    ],
)
def test_of_a_journal(ada: Any, body: dict[str, Any], told: str) -> None:
    status, text = said(ada.post("ledger/journals/", body))
    assert status == 400
    assert told in text
    assert not Transfer.objects.exists()


def test_of_keys(ada: Any) -> None:
    status, text = said(ada.post("ledger/journals/", journal(*RENT), key=None))
    assert (status, "Send a header Idempotency-Key" in text) == (400, True)
    ada.post("ledger/journals/", journal(*RENT), key="one")
    again = ada.post("ledger/journals/", journal(*RENT, memo="Other"), key="one")
    status, text = said(again)
    assert (status, "with a new key" in text) == (422, True)


def test_of_an_exchange(ada: Any) -> None:
    body = {
        "from_account": "1010",
        "to_account": "1010",
        "sold": {"amount": "0.00", "currency": "USD"},
        "bought": {"amount": "-1.00", "currency": "KES"},
        "fee": {"amount": "0.00", "currency": "USD"},
        "effective_on": "2026-11-05",
    }
    answer = ada.post("ledger/currency-exchanges/", body)
    problems = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert problems == dict.fromkeys(
        ("/sold", "/bought", "/fee"), "The amount must be at least 0.01."
    )


def test_of_opening_the_equity_itself(ada: Any) -> None:
    money = {"amount": "1.00", "currency": "KES"}
    body = {"effective_on": "2026-01-01", "lines": [{"account_code": "3000", "amount": money}]}
    status, text = said(ada.post("ledger/opening-balances/", body))
    assert (status, "3000 already: leave its line out" in text) == (400, True)


def test_of_undoing_what_belongs_to_a_document(ada: Any) -> None:
    sale = posting("invoice.issued", net="2.00", tax="1.00", party=uuid4())
    (made,) = post(postings=[sale], actor=system_actor("test"))
    answer = ada.post(f"ledger/journals/{made.id}/reversal/", {"effective_on": "2026-11-20"})
    status, text = said(answer)
    assert (status, f"tests.document {sale.source_id}" in text) == (422, True)
    assert answer.json()["source_id"] == str(sale.source_id)


def test_of_closing(ada: Any) -> None:
    period = FiscalPeriod.objects.containing(date(2026, 11, 20)).get()
    status, text = said(ada.post(f"ledger/periods/{period.id}/closing/"))
    assert (status, "Its last day is 2026-11-30" in text) == (422, True)
    ada.post("ledger/journals/", journal(line("5900", "debit"), line("1010", "credit")))
    other = Account.objects.chart().get(code="5900")
    status, text = said(ada.post(f"ledger/accounts/{other.id}/closing/"))
    assert (status, "to another account by a journal first" in text) == (422, True)


def test_of_a_code_and_of_queries(ada: Any) -> None:
    body = {"code": "52 10", "name": "Water", "kind": "cost"}
    status, text = said(ada.post("ledger/accounts/", body))
    assert status == 400
    assert "begins with a letter or digit" in text
    assert "It is one of: asset, liability, equity, income, expense." in text
    status, text = said(ada.get("seals/verification/?chain=rows"))
    assert (status, "It is one of: transfers, audit, journal-metadata." in text) == (400, True), (
        text
    )
    for query, told in {
        "holds/?state=gone": "It is one of: open, captured, released, expired.",
        "holds/?status=open": "There are: account, cursor, page_size, source_id, source_type",
        "stop/?x=1": "This address takes no parameters.",
        "periods/?fiscal_year=1e400": "less than or equal to 2200",
    }.items():
        status, text = said(ada.get(f"ledger/{query}"))
        assert (status, told in text) == (400, True), text
