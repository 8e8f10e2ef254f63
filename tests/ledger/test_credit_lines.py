"""What may be owed: a limit decides, what stands above a lowered one only falls."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_apps.access.actors import system_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from tenant_apps.ledger.entries import CreditChange, CreditState
from tenant_apps.ledger.errors import (
    AboveLimit,
    CreditNotInUse,
    NegativeAmount,
    PostingMismatch,
    UnknownCreditLine,
)
from tenant_apps.ledger.models import CreditLine, CreditLineEntry
from tenant_apps.ledger.services import change_credit, open_credit_line, set_credit_limit
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import kes

pytestmark = pytest.mark.usefixtures("tenant")

DAY = date(2026, 11, 2)


@pytest.fixture
def subject(actor: Actor) -> UUID:
    """A client with a credit limit of 100.00."""
    client = uuid4()
    open_credit_line(subject_type="tests.client", subject_id=client, currency="KES", actor=actor)
    limit(client, "100.00", actor=actor)
    return client


def limit(client: UUID, amount: str | None, *, actor: Actor) -> CreditState:
    source = uuid7()
    return set_credit_limit(
        id=uuid8_near(source, "limit"),
        subject_type="tests.client",
        subject_id=client,
        currency="KES",
        limit=kes(amount) if amount is not None else None,
        effective_on=DAY,
        source_type="tests.decision",
        source_id=source,
        actor=actor,
    )


def change(
    client: UUID, kind: str = "use", *, used: str = "0.00", held: str = "0.00",
    source: UUID | None = None,
) -> CreditChange:  # fmt: skip
    origin = source or uuid7()
    return CreditChange(
        id=uuid8_near(origin, "credit", kind),
        subject_type="tests.client",
        subject_id=client,
        kind=kind,
        used=kes(used),
        held=kes(held),
        effective_on=DAY,
        source_type="tests.document",
        source_id=origin,
        reason="They are good for it." if kind == "override" else "",
    )


def made(actor: Actor, *changes: CreditChange) -> CreditState:
    return change_credit(changes=changes, actor=actor)[-1]


def stands(client: UUID) -> tuple[str, str, int]:
    line = CreditLine.objects.get(subject_id=client)
    return line.used.to_string(), line.held.to_string(), line.version


def test_a_sale_uses_and_a_payment_returns(actor: Actor, subject: UUID) -> None:
    after_sale = made(actor, change(subject, used="70.00"))
    assert (after_sale.used, after_sale.available) == (kes("70.00"), kes("30.00"))
    after_payment = made(actor, change(subject, "return", used="-20.00"))
    assert (after_payment.used, after_payment.available) == (kes("50.00"), kes("50.00"))
    assert verify().books_hold


def test_refuses_what_passes_the_limit_to_the_cent(actor: Actor, subject: UUID) -> None:
    made(actor, change(subject, used="70.00"), change(subject, "hold", held="20.00"))
    for more in (change(subject, used="10.01"), change(subject, "hold", held="10.01")):
        with pytest.raises(AboveLimit), transaction.atomic():
            made(actor, more)
    assert stands(subject) == ("70.00", "20.00", 3)
    assert made(actor, change(subject, used="10.00")).available == kes("0.00")


def test_a_hold_becomes_a_sale_without_more_room(actor: Actor, subject: UUID) -> None:
    made(actor, change(subject, "hold", held="100.00"))
    state = made(actor, change(subject, "capture", used="60.00", held="-60.00"))
    assert (state.used, state.held) == (kes("60.00"), kes("40.00"))
    assert made(actor, change(subject, "release", held="-40.00")).available == kes("40.00")


def test_what_stands_above_a_lowered_limit_only_falls(actor: Actor, subject: UUID) -> None:
    made(actor, change(subject, used="90.00"))
    assert limit(subject, "50.00", actor=actor).available == kes("-40.00")
    assert CreditLine.objects.get().grandfathered_minor == 9000
    for more in (change(subject, used="0.01"), change(subject, "hold", held="0.01")):
        with pytest.raises(AboveLimit), transaction.atomic():
            made(actor, more)
    made(actor, change(subject, "return", used="-30.00"))
    assert CreditLine.objects.get().grandfathered_minor == 6000
    with pytest.raises(AboveLimit), transaction.atomic():
        made(actor, change(subject, used="30.00"))
    made(actor, change(subject, "return", used="-20.00"))
    assert CreditLine.objects.get().grandfathered_minor == 0
    assert made(actor, change(subject, used="10.00")).available == kes("0.00")
    assert verify().books_hold


def test_an_override_passes_the_limit_and_says_why(actor: Actor, subject: UUID) -> None:
    state = made(actor, change(subject, "override", used="130.00"))
    assert state.available == kes("-30.00")
    entry = CreditLineEntry.objects.first()
    assert entry is not None
    assert (entry.kind, entry.reason) == ("override", "They are good for it.")
    with pytest.raises(AboveLimit), transaction.atomic():
        made(actor, change(subject, used="0.01"))


def test_without_a_limit_it_only_counts(actor: Actor, subject: UUID) -> None:
    assert limit(subject, None, actor=actor).available is None
    assert made(actor, change(subject, used="1000000.00")).used == kes("1000000.00")


def test_refuses_to_return_more_than_is_in_use(actor: Actor, subject: UUID) -> None:
    made(actor, change(subject, used="10.00"))
    for less in (
        change(subject, "return", used="-10.01"),
        change(subject, "release", held="-0.01"),
    ):
        with pytest.raises(CreditNotInUse), transaction.atomic():
            made(actor, less)
    assert stands(subject) == ("10.00", "0.00", 2)


def test_the_same_change_again_is_made_once(actor: Actor, subject: UUID) -> None:
    once = change(subject, used="60.00")
    assert not made(actor, once).replayed
    again = made(actor, once)
    assert (again.replayed, again.used) == (True, kes("60.00"))
    other = change(subject, used="1.00", source=once.source_id)
    with pytest.raises(PostingMismatch), transaction.atomic():
        made(actor, other)
    assert stands(subject) == ("60.00", "0.00", 2)


def test_several_lines_change_all_or_none(actor: Actor, subject: UUID) -> None:
    other = uuid4()
    open_credit_line(subject_type="tests.client", subject_id=other, currency="KES", actor=actor)
    limit(other, "5.00", actor=actor)
    with pytest.raises(AboveLimit), transaction.atomic():
        made(actor, change(subject, used="50.00"), change(other, used="5.01"))
    assert (stands(subject)[0], stands(other)[0]) == ("0.00", "0.00")


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [
        ("limit", {}),
        ("open", {}),
        ("use", {"used": "-1.00"}),
        ("use", {"held": "1.00"}),
        ("return", {"used": "1.00"}),
        ("hold", {"held": "-1.00"}),
        ("release", {"held": "1.00"}),
        ("capture", {"used": "2.00", "held": "-1.00"}),
        ("override", {"used": "-1.00"}),
        ("borrow", {"used": "1.00"}),
    ],
)
def test_refuses_amounts_that_are_not_of_the_kind(
    actor: Actor, subject: UUID, kind: str, amounts: dict[str, Any]
) -> None:
    made(actor, change(subject, used="50.00"), change(subject, "hold", held="10.00"))
    with pytest.raises(BadInput), transaction.atomic():
        made(actor, change(subject, kind, **amounts))
    line = CreditLine.objects.get()
    assert (line.limit_minor, *stands(subject)) == (10000, "50.00", "10.00", 3)


def test_refuses_two_currencies_and_an_override_without_a_reason(
    actor: Actor, subject: UUID
) -> None:
    capture = change(subject, "capture", used="1.00", held="-1.00")
    for wrong in (
        replace(capture, held=Money(-100, "USD")),
        replace(change(subject, "override", used="130.00"), reason=""),
    ):
        with pytest.raises(BadInput), transaction.atomic():
            made(actor, wrong)
    assert stands(subject) == ("0.00", "0.00", 1)


def test_refuses_what_is_no_limit_and_no_line(actor: Actor, subject: UUID) -> None:
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (NegativeAmount, lambda: limit(subject, "-0.01", actor=actor)),
        (UnknownCreditLine, lambda: made(actor, change(uuid4(), used="1.00"))),
        (UnknownCreditLine, lambda: limit(uuid4(), "1.00", actor=actor)),
        (
            BadInput,
            lambda: set_credit_limit(
                id=uuid7(),
                subject_type="tests.client",
                subject_id=subject,
                currency="KES",
                limit=Money.parse("1.00", "USD"),
                effective_on=DAY,
                source_type="tests.decision",
                source_id=uuid7(),
                actor=actor,
            ),
        ),
    ]
    for refusal, act in refused:
        with pytest.raises(refusal), transaction.atomic():
            act()
    assert stands(subject) == ("0.00", "0.00", 1)


def test_nobody_else_writes_credit_lines(subject: UUID) -> None:
    for statement in (
        "UPDATE ledger_creditline SET limit_minor = 1",
        "DELETE FROM ledger_creditline",
        "DELETE FROM ledger_creditlineentry",
        "UPDATE ledger_creditlineentry SET used_change = 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(statement)
    assert stands(subject) == ("0.00", "0.00", 1)


_ACTS = st.lists(
    st.tuples(
        st.sampled_from(["use", "return", "hold", "release", "capture", "limit", "override"]),
        st.integers(min_value=1, max_value=120),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(acts=_ACTS)
def test_any_story_agrees_with_a_plain_model(acts: list[tuple[str, int]]) -> None:
    """Beside the line runs a model of four numbers; both refuse the same things."""
    actor, client = system_actor("test"), uuid4()
    open_credit_line(subject_type="tests.client", subject_id=client, currency="KES", actor=actor)
    limit(client, "1.00", actor=actor)
    allowed, above, used, held = 100, 0, 0, 0
    for kind, minor in acts:
        use = {"use": minor, "override": minor, "capture": minor, "return": -minor}.get(kind, 0)
        keep = {"hold": minor, "capture": -minor, "release": -minor}.get(kind, 0)
        total = used + held + use + keep
        if kind == "limit":
            limit(client, Money(minor, "KES").to_string(), actor=actor)
            allowed = minor
            above = total if total > allowed else 0
            continue
        wanted = change(
            client,
            kind,
            used=Money(use, "KES").to_string(),
            held=Money(keep, "KES").to_string(),
        )
        fits = total <= allowed or use + keep <= 0 or kind == "override"
        if used + use < 0 or held + keep < 0 or not fits:
            with pytest.raises((AboveLimit, CreditNotInUse)), transaction.atomic():
                made(actor, wanted)
            continue
        made(actor, wanted)
        used, held = used + use, held + keep
        above = 0 if total <= allowed else total if kind == "override" else min(above, total)
    line = CreditLine.objects.get(subject_id=client)
    assert (line.used_minor, line.held_minor, line.grandfathered_minor) == (used, held, above)
