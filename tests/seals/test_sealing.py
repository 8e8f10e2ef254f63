"""What is committed is sealed, once, in order, and nothing of it is left out."""

from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.seals import chains, discovery
from shared_apps.seals.models import Entry, Segment
from shared_apps.seals.services import seal_chains, seal_once
from shared_apps.seals.verification import verify_chain
from tenant_apps.ledger.models import Transfer
from tests.connections import Other
from tests.seals.conftest import sell

TRANSFERS = chains.by_name("transfers")


def test_every_column_is_covered(tenant: Any) -> None:
    with connection.cursor() as cursor:
        for chain in chains.registered():
            cursor.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass"
                " AND attnum > 0 AND NOT attisdropped",
                [chain.table],
            )
            assert sorted(chain.newest.names) == sorted(row[0] for row in cursor.fetchall())


def test_seals_what_was_written_and_then_rests(real_commits: Any, actor: Actor) -> None:
    sell(3, actor=actor)
    waiting = verify_chain(TRANSFERS)
    assert (waiting.rows, waiting.waiting, waiting.findings) == (0, 3, [])
    assert seal_chains() >= 3
    done = verify_chain(TRANSFERS)
    assert (done.segments, done.rows, done.waiting, done.findings) == (1, 3, 0, [])
    assert seal_chains() == 0


def test_the_audit_is_sealed_too(real_commits: Any, actor: Actor) -> None:
    seal_chains()
    read = verify_chain(chains.by_name("audit"))
    assert read.rows > 0
    assert (read.waiting, read.findings) == (0, [])


def test_segments_are_cut_and_linked(books: Any) -> None:
    found = list(Segment.objects.filter(chain="transfers").order_by("number"))
    assert [(one.number, one.first, one.rows) for one in found] == [(1, 1, 4), (2, 5, 4), (3, 9, 4)]
    assert [bytes(one.previous) for one in found[1:]] == [bytes(one.digest) for one in found[:-1]]
    assert Entry.objects.filter(chain=1).count() == Transfer.objects.count() == 12


def test_a_backlog_is_sealed_in_several_looks(
    real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared_apps.seals.services.SEGMENT_ROWS", 5)
    sell(32, actor=actor)
    sizes = []
    while (done := seal_once(chain=TRANSFERS, most=10)).rows:
        sizes.append(done.rows)
    assert sizes == [10, 10, 10, 2]
    assert verify_chain(TRANSFERS).findings == []


def test_what_commits_late_is_sealed_later(real_commits: Any, actor: Actor) -> None:
    """A long transaction wrote first and commits last; others were sealed in between."""
    import threading

    written, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        sell(2, actor=actor)
        written.set()
        assert may_commit.wait(20)

    other = Other(real_commits, slow)
    assert written.wait(20)
    # Another account: the first one's balance is locked.
    with transaction.atomic():
        from shared_apps.audit.services import record
        from shared_apps.seals.events import SealSettingsChanged

        record(SealSettingsChanged(subject_id=real_commits.id, fields=()), actor=actor)
    seal_chains()
    assert Entry.objects.filter(chain=1).count() == 0
    assert Entry.objects.filter(chain=2).count() > 0
    may_commit.set()
    assert other.end() == "done"
    seal_chains()
    assert Entry.objects.filter(chain=1).count() == 2
    assert verify_chain(TRANSFERS).findings == []


def test_a_second_sealer_goes_away(real_commits: Any, actor: Actor) -> None:
    import threading

    sell(3, actor=actor)
    sealed, may_commit = threading.Event(), threading.Event()

    def first() -> None:
        seal_once(chain=TRANSFERS)
        sealed.set()
        assert may_commit.wait(20)

    other = Other(real_commits, first)
    assert sealed.wait(20)
    assert seal_once(chain=TRANSFERS).rows == 0
    may_commit.set()
    assert other.end() == "done"
    assert Entry.objects.filter(chain=1).count() == 3


def test_what_lies_before_the_tail_is_found_by_the_sweep(
    books: Any, owner: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Space that an undone transaction left is used again, far before the table's end."""
    monkeypatch.setattr(discovery, "OVERLAP_BLOCKS", 0)
    monkeypatch.setattr(discovery, "STRETCH_BLOCKS", 1)
    sell(60, actor=actor)
    with transaction.atomic():
        sell(200, actor=actor)
        transaction.set_rollback(True)
    for _ in range(4):
        sell(60, actor=actor)
        seal_chains()
    assert _progress().tail > 4
    owner.execute("VACUUM ledger_transfer")
    before = _progress().complete_until
    sell(20, actor=actor)
    lowest = Transfer.objects.raw(
        "SELECT id, (ctid::text::point)[0]::int AS block FROM ledger_transfer t"
        " WHERE NOT EXISTS (SELECT FROM seals_entry e WHERE e.row_id = t.id) ORDER BY 2"
    )[0]
    assert lowest.block < _progress().tail, "the space is used again"
    for _ in range(20):
        seal_chains()
    assert _progress().complete_until > before
    assert Entry.objects.filter(chain=1).count() == Transfer.objects.count()
    assert verify_chain(TRANSFERS).findings == []


def _progress() -> Any:
    from shared_apps.seals.models import Progress

    return Progress.objects.get(chain="transfers")


def test_a_table_that_was_rewritten_is_read_anew(books: Any, owner: Any, actor: Actor) -> None:
    owner.execute("VACUUM FULL ledger_transfer")
    sell(2, actor=actor)
    seal_chains()
    assert Entry.objects.filter(chain=1).count() == Transfer.objects.count()
    assert verify_chain(TRANSFERS).findings == []
