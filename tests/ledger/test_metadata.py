"""Keys and values that a poster keeps with a journal."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.errors import PostingMismatch
from tenant_apps.ledger.models import JournalMetadata, Transfer
from tenant_apps.ledger.services import post
from tests.cast import Cast, cast
from tests.ledger.conftest import posting

__all__ = ["cast"]

pytestmark = pytest.mark.usefixtures("tenant")


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


def test_what_is_kept_with_a_journal_is_shown_and_found(cast: Cast) -> None:
    ada = cast.api("ada")
    said = {"cost_center": "Nairobi West", "contract": "2026/17", "note": ""}
    made = ada.post("ledger/journals/", journal(metadata=said))
    assert (made.status_code, made.json()["metadata"]) == (201, said)
    plain = ada.post("ledger/journals/", journal()).json()
    assert plain["metadata"] == {}
    address = f"ledger/journals/{made.json()['id']}/"
    assert ada.get(address).json()["metadata"] == said
    for asked, found in {
        "cost_center:Nairobi West": 1,
        "contract:2026/17": 1,
        "cost_center:Nairobi": 0,
        "Nairobi West": 0,
        "note:": 1,
    }.items():
        rows = ada.get(f"ledger/journals/?metadata={asked}").json()["results"]
        assert [row["id"] for row in rows] == [made.json()["id"]] * found, asked


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        ["a"],
        {"": "x"},
        {"a b": "x"},
        {"k" * 41: "x"},
        {"k": "x" * 501},
        {"k": None},
        {"k": {"deep": "er"}},
        {"k": "nul\x00"},
        {f"k{number}": "x" for number in range(21)},
    ],
)
def test_what_cannot_be_kept_is_refused(cast: Cast, wrong: Any) -> None:
    answer = cast.api("ada").post("ledger/journals/", journal(metadata=wrong))
    assert answer.status_code == 400
    assert answer.json()["code"] in ("invalid_input", "malformed_request")
    assert not Transfer.objects.exists()
    assert not JournalMetadata.objects.exists()


def test_other_metadata_is_another_request(actor: Actor) -> None:
    source = uuid4()

    def again(**metadata: str) -> Any:
        one = posting("payment.received.cash", amount="1.00", party=source, source=source)
        with transaction.atomic():
            return post(postings=[replace(one, metadata=metadata)], actor=actor)

    (first,) = again(channel="till")
    (replayed,) = again(channel="till")
    assert (first.replayed, replayed.replayed) == (False, True)
    for other in ({}, {"channel": "app"}):
        with pytest.raises(PostingMismatch):
            again(**other)
    kept = JournalMetadata.objects.get()
    assert (kept.id, kept.metadata) == (first.id, {"channel": "till"})
    assert kept.first_leg_id == first.legs[0].transfer_id


def test_a_value_is_found_by_its_index(actor: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        wanted = JournalMetadata.objects.saying(key="channel", value="till")
        assert "ledger_journalmetadata_said" in wanted.explain()
