"""What was sealed is read again, news at each run and the rest in turns; an edit turns it red."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel import invariants as registry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.seals import chains
from shared_apps.seals import invariants as seals
from shared_apps.seals.models import Entry
from shared_apps.seals.services import anchor_heads, seal_chains
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.selectors import books_stop
from tenant_apps.ledger.services import post, start_postings
from tests.databases import owner_connection
from tests.ledger.conftest import posting
from tests.seals.conftest import TABLES, sell

TRANSFERS, AUDIT = "seals.transfers", "seals.audit"
NAMES = (TRANSFERS, AUDIT)
Execute = Callable[..., Any]


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


@pytest.fixture
def execute(real_commits: Any) -> Iterator[Execute]:
    """What the owner of the database could do, with every trigger taken away."""
    session = owner_connection(connection.settings_dict["NAME"])
    session.execute(f"SET search_path = {real_commits.schema_name}")
    for table in TABLES:
        session.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield session.execute
    session.close()


@pytest.fixture
def books(real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ten segments of four transfers, all read by the watch."""
    monkeypatch.setattr("shared_apps.seals.services.SEGMENT_ROWS", 4)
    for _ in range(10):
        sell(4, actor=actor)
    seal_chains()
    assert run() == []
    return real_commits


def run(**values: Any) -> list[str]:
    return watch(actor=system_actor("test"), names=NAMES, **values)


def check(name: str = TRANSFERS) -> InvariantCheck:
    return InvariantCheck.objects.get(name=name)


def rules(name: str = TRANSFERS) -> set[str]:
    return {finding["rule"] for finding in check(name).findings}


def rows(segment: int, chain: int = 1) -> list[UUID]:
    found = Entry.objects.filter(chain=chain, segment=segment).order_by("position")
    return list(found.values_list("row_id", flat=True))


def test_every_chain_is_watched() -> None:
    watched = {one.name for one in registry.registered() if one.name.startswith("seals.")}
    assert watched == {f"seals.{chain.name}" for chain in chains.registered()}


def test_an_edited_transfer_is_red_stops_the_books_and_is_over_once_repaired(
    books: Any, execute: Execute, actor: Actor
) -> None:
    """A memo changes no sum: nothing but the seals tells."""
    victim = rows(7)[2]
    execute("UPDATE ledger_transfer SET memo = 'forged' WHERE id = %s", [victim])
    assert watch(actor=actor) == [TRANSFERS]
    assert rules() == {"edited"}
    (found,) = check().findings
    assert str(victim) in found["subject"]
    assert "segment 7" in found["subject"]
    stop = books_stop()
    assert stop is not None
    assert stop.invariant == TRANSFERS
    with pytest.raises(DomainError) as refusal, transaction.atomic():
        sell(1, actor=actor)
    assert refusal.value.code == "books_stopped"
    with pytest.raises(DomainError) as refusal:
        start_postings(actor=actor, reason="Never mind.")
    assert refusal.value.code == "books_do_not_hold"
    assert run() == [TRANSFERS]
    assert InvariantAlarm.objects.count() == 1, "found again, raised once"
    execute("UPDATE ledger_transfer SET memo = '' WHERE id = %s", [victim])
    assert run() == []
    start_postings(actor=actor, reason="Restored from the backup.")
    sell(1, actor=actor)


def test_an_edited_audit_entry_is_red_and_stops_no_books(books: Any, execute: Execute) -> None:
    victim = rows(1, chain=2)[0]
    execute("UPDATE audit_entry SET request_id = 'forged' WHERE id = %s", [victim])
    assert run() == [AUDIT]
    assert rules(AUDIT) == {"edited"}
    assert books_stop() is None, "it does not concern the ledger"


def test_only_news_and_a_part_of_the_rest_are_read(
    books: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "FEWEST_ROWS", 8)
    assert run() == []
    assert check().rows_read == 8
    sell(3, actor=actor)
    seal_chains()
    assert run() == []
    assert check().rows_read == 8 + 3


@pytest.mark.parametrize("segment", range(1, 11))
def test_an_old_row_is_found_within_one_round(
    books: Any, execute: Execute, monkeypatch: pytest.MonkeyPatch, segment: int
) -> None:
    monkeypatch.setattr(seals, "FEWEST_ROWS", 8)
    for _ in range(3):
        run()
    execute("DELETE FROM ledger_transfer WHERE id = %s", [rows(segment)[1]])
    turns = [run() for _ in range(5)]
    assert [TRANSFERS] in turns
    assert rules() == {"deleted"}
    assert run() == [TRANSFERS], "it is read again until it is right"


def test_what_a_run_reads_follows_the_length_of_the_chain(
    books: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "FEWEST_ROWS", 1)
    monkeypatch.setattr(seals, "RUNS_PER_ROUND", 2)
    run()
    assert check().rows_read == 20, "half of the chain"
    monkeypatch.setattr(seals, "MOST_ROWS", 12)
    run()
    assert check().rows_read == 12


def test_a_segment_larger_than_a_run_is_read_whole(
    books: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "FEWEST_ROWS", 1)
    run()
    assert check().rows_read == 4


def test_a_backlog_is_read_over_several_runs(
    books: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sell(4, actor=actor)
    seal_chains()
    monkeypatch.setattr(seals, "NEW_ROWS", 4)
    seen = []
    for _ in range(4):
        run()
        seen.append(check().watermark["last"])
    assert seen == [11, 12, 13, 13]


def test_a_tail_that_was_cut_off_is_missed_before_any_anchor(books: Any, execute: Execute) -> None:
    for table, condition in (
        ("ledger_transfer", "id IN (SELECT row_id FROM seals_entry WHERE chain = 1"
         " AND segment > 8)"),
        ("seals_entry", "chain = 1 AND segment > 8"),
        ("seals_segment", "chain = 'transfers' AND number > 8"),
    ):  # fmt: skip
        execute(f"DELETE FROM {table} WHERE {condition}")
    assert run() == [TRANSFERS]
    assert rules() == {"cut_off"}


def test_a_chain_that_was_emptied_is_missed(books: Any, execute: Execute) -> None:
    anchor_heads()
    execute("DELETE FROM seals_entry WHERE chain = 1")
    execute("DELETE FROM seals_segment WHERE chain = 'transfers'")
    assert run() == [TRANSFERS]
    InvariantCheck.objects.update(watermark={})
    assert run() == [TRANSFERS], "the anchors know of it too"
    assert rules() == {"cut_off"}


def test_another_segment_in_the_place_of_the_last_is_seen(books: Any, actor: Actor) -> None:
    known = dict(check().watermark)
    InvariantCheck.objects.filter(name=TRANSFERS).update(watermark={**known, "digest": "00" * 32})
    assert run() == [TRANSFERS]
    assert rules() == {"segment_changed"}


def test_a_row_that_was_put_among_old_ones_is_seen_once_it_is_sealed(
    books: Any, execute: Execute
) -> None:
    columns = [name for name in chains.by_name("transfers").newest.names if name != "id"]
    changed = {
        "debit_version": "NULL",
        "credit_version": "NULL",
        "posted_at": "posted_at - interval '2 hours'",
    }
    execute(
        f"INSERT INTO ledger_transfer (id, {', '.join(columns)})"
        f" SELECT gen_random_uuid(), {', '.join(changed.get(name, name) for name in columns)}"
        " FROM ledger_transfer LIMIT 1"
    )
    seal_chains()
    assert run() == [TRANSFERS]
    assert rules() == {"inserted"}


def test_nothing_is_swept_unless_asked(books: Any, execute: Execute) -> None:
    assert check().swept_at is None
    execute("UPDATE ledger_transfer SET memo = 'x' WHERE id = %s", [rows(3)[0]])
    assert run(sweep=True) == [TRANSFERS]
    assert check().swept_at is not None
    execute("UPDATE ledger_transfer SET memo = '' WHERE id = %s", [rows(3)[0]])
    assert run(sweep=True) == []
    assert check().watermark["last"] == 10


def test_nothing_is_said_before_the_first_seal(real_commits: Any, actor: Actor) -> None:
    with transaction.atomic():
        post(
            postings=[posting("payment.received.cash", amount="1.00", party=UUID(int=1))],
            actor=actor,
        )
    assert run() == []
    assert check().watermark == {"last": 0, "digest": "", "turn": 0}
