"""How much credit was in use on a day, as it was known at an instant."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger.entries import CreditChange
from tenant_apps.ledger.history.credit import Exposure, credit_line_at
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import CreditLine
from tenant_apps.ledger.services import change_credit, open_credit_line, set_credit_limit
from tests.ledger.conftest import kes


def november(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def line(tenant: Any, actor: Actor) -> Iterator[UUID]:
    """100.00 may be owed from the 2nd; 30.00 are used on the 3rd and, entered on the 9th, 20.00 on
    the 4th; on the 10th the limit is set to 80.00 from the 5th on."""
    client = uuid4()
    place = {"subject_type": "tests.client", "subject_id": client}

    def use(amount: str, day: int) -> None:
        source = uuid7()
        change = CreditChange(
            id=uuid8_near(source, "use"),
            kind="use",
            used=kes(amount),
            held=kes("0.00"),
            effective_on=date(2026, 11, day),
            source_type="tests.document",
            source_id=source,
            **place,
        )
        change_credit(changes=[change], actor=actor)

    def limit(amount: str, day: int) -> None:
        source = uuid7()
        set_credit_limit(
            id=uuid8_near(source, "limit"),
            currency="KES",
            limit=kes(amount),
            effective_on=date(2026, 11, day),
            source_type="tests.decision",
            source_id=source,
            actor=actor,
            **place,
        )

    with clock.frozen(november(2)) as now:
        open_credit_line(currency="KES", actor=actor, **place)
        limit("100.00", 2)
        now.move_to(november(3))
        use("30.00", 3)
        now.move_to(november(8))
        settle()
        now.move_to(november(9))
        use("20.00", 4)
        now.move_to(november(10))
        limit("80.00", 5)
        now.move_to(november(11))
        settle()
        now.move_to(november(12))
        yield CreditLine.objects.get(subject_id=client).id


def exposure(limit: int | None, used: int) -> Exposure:
    return Exposure(
        limit_minor=None if limit is None else limit * 100, used_minor=used * 100, held_minor=0
    )


def test_by_effective_day_as_it_is_known_now(line: UUID) -> None:
    told = {day: credit_line_at(line_id=line, as_of=date(2026, 11, day)) for day in (1, 3, 4, 5)}
    assert told == {
        1: exposure(None, 0),
        3: exposure(100, 30),
        4: exposure(100, 50),
        5: exposure(80, 50),
    }
    assert credit_line_at(line_id=line) == exposure(80, 50)


def test_what_was_known_before_stays(line: UUID) -> None:
    assert credit_line_at(line_id=line, known_at=november(2, 11)) == exposure(None, 0)
    assert credit_line_at(line_id=line, known_at=november(8)) == exposure(100, 30)
    assert credit_line_at(line_id=line, known_at=november(9)) == exposure(100, 50)
    early = {"line_id": line, "as_of": date(2026, 11, 6)}
    assert credit_line_at(known_at=november(9, 13), **early) == exposure(100, 50)
    assert credit_line_at(known_at=november(10), **early) == exposure(80, 50)


def test_what_is_seen_late_is_known_late(line: UUID, actor: Actor) -> None:
    with clock.frozen(november(10)) as now:
        subject = CreditLine.objects.get(id=line).subject_id
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
        settle()
        seen = november(11)
        assert credit_line_at(line_id=line, known_at=seen) == exposure(80, 50)
        seen += timedelta(microseconds=1)
        assert credit_line_at(line_id=line, known_at=seen) == exposure(80, 51)
