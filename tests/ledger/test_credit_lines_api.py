"""Credit lines and their entries through the API."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from shared_apps.kernel import clock
from tenant_apps.ledger.models import CreditLine
from tenant_apps.ledger.services import open_credit_line
from tests.cast import Cast, cast
from tests.ledger.conftest import november

__all__ = ["cast"]

BEFORE_THE_NINTH = quote(november(8).isoformat())


@pytest.fixture
def ada(cast: Cast, credit_line: UUID) -> Any:
    return cast.api("ada")


def kes(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "KES"}


def numbers(line: dict[str, Any]) -> list[str | None]:
    return [line[name] and line[name]["amount"] for name in ("limit", "used", "held", "available")]


def test_a_line_now_and_at_another_time(ada: Any, credit_line: UUID) -> None:
    address = f"ledger/credit-lines/{credit_line}/"
    now = ada.get(address).json()
    assert (now["subject_type"], now["currency"]) == ("tests.client", "KES")
    assert numbers(now) == ["80.00", "50.00", "0.00", "30.00"]
    assert numbers(ada.get(f"{address}?as_of=2026-11-01").json()) == [None, "0.00", "0.00", None]
    assert numbers(ada.get(f"{address}?as_of=2026-11-04").json()) == [
        "100.00",
        "50.00",
        "0.00",
        "50.00",
    ]
    then = ada.get(f"{address}?as_of=2026-11-06&known_at={BEFORE_THE_NINTH}").json()
    assert numbers(then) == ["100.00", "30.00", "0.00", "70.00"]


def test_a_list_of_lines_is_narrowed_and_asked_about_another_time(
    ada: Any, cast: Cast, credit_line: UUID
) -> None:
    subject = CreditLine.objects.get(pk=credit_line).subject_id
    other = open_credit_line(
        subject_type="tests.purchaser", subject_id=subject, currency="USD", actor=cast.system
    )
    for query, expected in {
        f"subject_id={subject}": {str(credit_line), str(other)},
        "subject_type=tests.client": {str(credit_line)},
        "currency=USD": {str(other)},
        f"subject_id={uuid4()}": set(),
    }.items():
        rows = ada.get(f"ledger/credit-lines/?{query}").json()["results"]
        assert {row["id"] for row in rows} == expected, query
    then = ada.get(f"ledger/credit-lines/?subject_id={subject}&as_of=2026-11-03").json()["results"]
    assert {row["id"]: numbers(row) for row in then} == {
        str(credit_line): ["100.00", "30.00", "0.00", "70.00"],
        str(other): [None, "0.00", "0.00", None],
    }


def test_entries_say_who_when_why_and_what_stood_after(ada: Any, credit_line: UUID) -> None:
    address = f"ledger/credit-lines/{credit_line}/entries/"
    newest, *_, oldest = ada.get(address).json()["results"]
    assert (newest["version"], newest["kind"], newest["used_change"]) == (4, "limit", kes("0.00"))
    assert numbers(newest) == ["80.00", "50.00", "0.00", "30.00"]
    assert (oldest["version"], oldest["kind"]) == (1, "limit")
    (use,) = ada.get(f"{address}?kind=use&effective_from=2026-11-04").json()["results"]
    assert (use["used_change"], use["held_change"]) == (kes("20.00"), kes("0.00"))
    assert numbers(use) == ["100.00", "50.00", "0.00", "50.00"]
    assert (use["effective_on"], use["recorded_at"]) == ("2026-11-04", "2026-11-09T12:00:00Z")
    assert (use["source_type"], use["actor_id"], use["reason"]) == ("tests.document", None, "")
    found = ada.get(f"{address}?source_id={use['source_id']}").json()["results"]
    assert found == [use]


def test_entries_that_made_up_what_was_known(ada: Any, credit_line: UUID) -> None:
    address = f"ledger/credit-lines/{credit_line}/entries/"

    def versions(query: str) -> list[int]:
        return [row["version"] for row in ada.get(f"{address}?{query}").json()["results"]]

    assert versions("") == [4, 3, 2, 1]
    assert versions("as_of=2026-11-04") == [3, 2, 1]
    assert versions("as_of=2026-11-03") == [2, 1]
    assert versions(f"known_at={BEFORE_THE_NINTH}") == [2, 1]
    assert versions(f"known_at={quote(november(9).isoformat())}&as_of=2026-11-03") == [2, 1]
    assert versions(f"known_at={quote(november(9).isoformat())}") == [3, 2, 1]


def test_entries_in_pages_both_ways(ada: Any, credit_line: UUID) -> None:
    address = f"ledger/credit-lines/{credit_line}/entries/?page_size=3"
    first = ada.get(address).json()
    second = ada.get(first["next"].removeprefix("http://acme.kontor.test")).json()
    assert [row["version"] for row in first["results"] + second["results"]] == [4, 3, 2, 1]
    again = ada.get(second["previous"].removeprefix("http://acme.kontor.test")).json()
    assert again["results"] == first["results"]


@pytest.mark.parametrize("noun", ["", "{}/", "{}/entries/"])
def test_refuses_instants_and_days_that_cannot_be_told(
    ada: Any, credit_line: UUID, noun: str
) -> None:
    address = "ledger/credit-lines/" + noun.format(credit_line)
    soon = quote((clock.now() + timedelta(seconds=1)).isoformat())
    for query, status, code in (
        (f"known_at={soon}", 400, "instant_in_future"),
        (f"known_at={quote(clock.now().isoformat())}", 409, "instant_not_settled"),
        ("as_of=yesterday", 400, None),
        ("surprise=1", 400, "unknown_parameter"),
    ):
        answer = ada.get(f"{address}?{query}")
        assert answer.status_code == status, (query, answer.json())
        assert code in (None, answer.json()["code"])


def test_a_stranger_to_the_books_sees_none(cast: Cast, credit_line: UUID) -> None:
    for name, status in {"sam": 200, "vera": 403, "olga": 403, "lea": 403}.items():
        person = cast.api(name)
        for address in ("", f"{credit_line}/", f"{credit_line}/entries/"):
            assert person.get(f"ledger/credit-lines/{address}").status_code == status
    ada = cast.api("ada")
    for address in (f"{uuid4()}/", f"{uuid4()}/entries/"):
        assert ada.get(f"ledger/credit-lines/{address}").status_code == 404
