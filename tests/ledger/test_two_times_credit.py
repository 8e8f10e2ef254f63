"""How much credit was in use on a day, as it was known at an instant."""

from datetime import date, timedelta
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger.entries import CreditChange
from tenant_apps.ledger.history.credit import Exposure, credit_line_at
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import CreditLine, CreditLineEntry
from tenant_apps.ledger.services import change_credit
from tests.ledger.conftest import kes, november


def exposure(limit: int | None, used: int) -> Exposure:
    return Exposure(
        limit_minor=None if limit is None else limit * 100, used_minor=used * 100, held_minor=0
    )


def test_by_effective_day_as_it_is_known_now(credit_line: UUID) -> None:
    told = {
        day: credit_line_at(line_id=credit_line, as_of=date(2026, 11, day)) for day in (1, 3, 4, 5)
    }
    assert told == {
        1: exposure(None, 0),
        3: exposure(100, 30),
        4: exposure(100, 50),
        5: exposure(80, 50),
    }
    assert credit_line_at(line_id=credit_line) == exposure(80, 50)


def test_what_was_known_before_stays(credit_line: UUID) -> None:
    assert credit_line_at(line_id=credit_line, known_at=november(2, 11)) == exposure(None, 0)
    assert credit_line_at(line_id=credit_line, known_at=november(8)) == exposure(100, 30)
    assert credit_line_at(line_id=credit_line, known_at=november(9)) == exposure(100, 50)
    early = {"line_id": credit_line, "as_of": date(2026, 11, 6)}
    assert credit_line_at(known_at=november(9, 13), **early) == exposure(100, 50)
    assert credit_line_at(known_at=november(10), **early) == exposure(80, 50)


def test_what_is_seen_late_is_known_late(credit_line: UUID, actor: Actor) -> None:
    with clock.frozen(november(10)) as now:
        subject = CreditLine.objects.get(id=credit_line).subject_id
        source = uuid7()
        change = CreditChange(
            id=uuid8_near(source, "use"),
            subject_type="tests.client",
            subject_id=subject,
            kind="use",
            used=kes("1.00"),
            held=kes("0.00"),
            effective_on=date(2026, 11, 10),
            source_type="tests.document",
            source_id=source,
        )
        change_credit(changes=[change], actor=actor)
        now.move_to(november(12))
        entries = CreditLineEntry.objects.filter(line_id=credit_line)
        assert entries.known_at(november(11)).count() == 4
        settle()
        seen = november(11)
        assert credit_line_at(line_id=credit_line, known_at=seen) == exposure(80, 50)
        assert entries.known_at(seen).count() == 4
        seen += timedelta(microseconds=1)
        assert credit_line_at(line_id=credit_line, known_at=seen) == exposure(80, 51)
        assert entries.known_at(seen).count() == 5
