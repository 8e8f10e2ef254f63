"""The cast and the words of the ledger's tests."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from tenant_apps.ledger.entries import CreditChange, Posting
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import CreditLine
from tenant_apps.ledger.services import change_credit, open_credit_line, set_credit_limit


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


def kes(text: str) -> Money:
    return Money.parse(text, "KES")


def posting(rule: str, *, day: date = date(2026, 11, 2), **values: Any) -> Posting:
    """A posting of a new source: amounts by name as texts in KES, `party` and `user` by id."""
    people: dict[str, UUID] = {
        kind: values.pop(kind) for kind in ("party", "user") if kind in values
    }
    sides = {
        name: values.pop(name)
        for name in ("debit_subledgers", "credit_subledgers")
        if name in values
    }
    source: UUID = values.pop("source", None) or uuid4()
    amounts = {
        name: value if isinstance(value, Money) else kes(value) for name, value in values.items()
    }
    return Posting(
        rule=rule,
        source_type="tests.document",
        source_id=source,
        amounts=amounts,
        subledgers=people,
        debit_subledgers=sides.get("debit_subledgers", {}),
        credit_subledgers=sides.get("credit_subledgers", {}),
        effective_on=day,
    )


@pytest.fixture
def balance() -> Callable[..., str]:
    from tenant_apps.ledger.selectors import balance_of

    def read(code: str, subledger_id: UUID | None = None, currency: str = "KES") -> str:
        return balance_of(
            account_code=code, subledger_id=subledger_id, currency=currency
        ).to_string()

    return read


def november(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


@pytest.fixture
def credit_line(tenant: Any, actor: Actor) -> Iterator[UUID]:
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
