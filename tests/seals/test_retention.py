"""Audit entries go where the organization says so: whole old segments, and the chain holds."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.audit.services import record
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden, PreconditionFailed
from shared_apps.seals import chains
from shared_apps.seals.events import SealSettingsChanged
from shared_apps.seals.models import DroppedSegment, SealSetting, Segment
from shared_apps.seals.services import change_settings, drop_old_entries, seal_chains
from shared_apps.seals.verification import verify_chain
from tests.people import actor_of, make_person
from tests.seals.conftest import findings, sell, wrongs

LONG_AGO = datetime(2023, 5, 2, 9, 0, tzinfo=UTC)


def write(number: int, *, actor: Actor) -> None:
    with transaction.atomic():
        for _ in range(number):
            record(SealSettingsChanged(subject_id=uuid4(), fields=()), actor=actor)


@pytest.fixture
def archive(real_commits: Any, owner: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Eleven entries from 2023 in three segments, then those of today."""
    monkeypatch.setattr("shared_apps.seals.services.SEGMENT_ROWS", 4)
    owner.execute("DELETE FROM audit_entry")
    owner.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    owner.execute("ALTER TABLE seals_entry ENABLE TRIGGER USER")
    with clock.frozen(LONG_AGO):
        write(11, actor=actor)
        seal_chains()
    write(2, actor=actor)
    seal_chains()
    return real_commits


def keep(days: int | None, *, actor: Actor) -> None:
    change_settings(actor=actor, changes={"audit_retention_days": days})


def test_nothing_goes_unless_it_was_said(archive: Any, actor: Actor) -> None:
    assert drop_old_entries(actor=actor) == 0
    keep(365 * 20, actor=actor)
    assert drop_old_entries(actor=actor) == 0
    assert AuditEntry.objects.filter(recorded_at=LONG_AGO).count() == 11


def test_old_segments_go_and_the_chain_holds(archive: Any, actor: Actor) -> None:
    before = [bytes(one.digest) for one in Segment.objects.filter(chain="audit")]
    keep(400, actor=actor)
    assert drop_old_entries(actor=actor) == 11
    assert AuditEntry.objects.filter(recorded_at=LONG_AGO).count() == 0
    seal_chains()
    read = verify_chain(chains.by_name("audit"))
    assert (read.findings, read.dropped_rows) == ([], 11)
    after = [bytes(one.digest) for one in Segment.objects.filter(chain="audit")]
    assert after[-len(before) :] == before
    # That they went is an entry itself, and there is nothing more to drop.
    assert AuditEntry.objects.filter(event_name="seals.rows_dropped").count() == 3
    assert drop_old_entries(actor=actor) == 0


def test_a_segment_with_one_young_row_stays_whole(archive: Any, actor: Actor) -> None:
    keep(400, actor=actor)
    with clock.frozen(LONG_AGO + timedelta(days=399)):
        assert drop_old_entries(actor=actor) == 0
    assert AuditEntry.objects.filter(recorded_at=LONG_AGO).count() == 11


def drop(number: int, *, before: str = "now() - interval '366 days'") -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT seals_drop_audit_segment({number}, {before})")
        return int(cursor.fetchone()[0])


def note(number: int, *, signature: bytes = bytes(64)) -> None:
    DroppedSegment.objects.create(chain="audit", number=number, key_id="x", signature=signature)


def test_the_organizations_role_deletes_in_no_other_way(archive: Any, actor: Actor) -> None:
    for statement in (
        "DELETE FROM audit_entry",
        "DELETE FROM seals_entry",
        "DELETE FROM seals_segment",
        "UPDATE seals_segment SET rows = 1",
        "DELETE FROM ledger_transfer",
        "SELECT set_config('seals.dropping', 'audit_entry', true); DELETE FROM audit_entry",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEntry.objects.filter(recorded_at=LONG_AGO).count() == 11


def test_the_function_drops_the_oldest_noted_old_segment_only(archive: Any, actor: Actor) -> None:
    refusals = "not one that retention drops"
    with pytest.raises(DatabaseError, match=refusals):
        drop(1)  # no note was written
    note(1)
    note(2)
    note(4)
    with pytest.raises(DatabaseError, match=refusals):
        drop(1, before="now() - interval '364 days'")
    with pytest.raises(DatabaseError, match=refusals):
        drop(2)  # the first is still there
    with pytest.raises(DatabaseError, match=refusals):
        drop(9)
    assert drop(1) == 4
    assert drop(2) == 4


def test_a_drop_without_the_key_is_told(archive: Any, actor: Actor) -> None:
    """Whoever reaches the function has no key: the note gives it away."""
    known = Segment.objects.get(chain="audit", number=1).key_id
    DroppedSegment.objects.create(chain="audit", number=1, key_id=known, signature=bytes(64))
    drop(1)
    assert "dropped_wrongly" in wrongs("audit")
    assert {one.segment for one in findings("audit")} == {1}


def test_transfers_are_never_dropped(archive: Any, owner: Any, actor: Actor) -> None:
    sell(3, actor=actor)
    seal_chains()
    owner.execute(
        "INSERT INTO seals_droppedsegment SELECT gen_random_uuid(), 'transfers', 1, now(),"
        " 'x', signature FROM seals_segment LIMIT 1"
    )
    owner.execute(
        "DELETE FROM ledger_transfer t USING seals_entry e WHERE e.row_id = t.id AND e.chain = 1"
    )
    assert wrongs("transfers") == {"dropped_wrongly", "deleted"}


def test_it_is_a_year_at_least(tenant: Any, actor: Actor) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        keep(364, actor=actor)
    with pytest.raises(ValidationError):
        SealSetting(audit_retention_days=364).full_clean()


def test_only_who_may_changes_the_settings(tenant: Any, actor: Actor) -> None:
    olga = make_person("Olga Owner", role="salesperson")
    with pytest.raises(Forbidden):
        change_settings(actor=actor_of(olga), changes={"mail_heads": True})
    assert not SealSetting.objects.exists()
    ada = actor_of(make_person("Ada Admin", role="admin"))
    first = change_settings(actor=ada, changes={"mail_heads": True}, expected_version=1)
    assert (first.mail_heads, first.version) == (True, 2)
    with pytest.raises(PreconditionFailed):
        change_settings(actor=ada, changes={"mail_heads": False}, expected_version=1)
    assert SealSetting.objects.count() == 1


def test_an_entry_in_a_dropped_segment_is_told(archive: Any, owner: Any, actor: Actor) -> None:
    keep(400, actor=actor)
    drop_old_entries(actor=actor)
    victim = AuditEntry.objects.latest("id").pk
    seal_chains()
    owner.execute("ALTER TABLE seals_entry DISABLE TRIGGER USER")
    owner.execute("UPDATE seals_entry SET segment = 1, position = 0 WHERE row_id = %s", [victim])
    assert ("inserted", 1, victim) in {
        (str(one.wrong), one.segment, one.row_id) for one in findings("audit")
    }
