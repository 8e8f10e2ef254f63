"""Funds are reserved, then captured or given back; each step is told apart and done once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import Funds, HoldRequest, Posting
from tenant_apps.ledger.errors import (
    AmountsDoNotFitRule,
    BelowFloor,
    BooksStopped,
    HoldClosed,
    HoldExceeded,
    NegativeAmount,
    PostingMismatch,
    UnknownAccount,
    UnknownHold,
)
from tenant_apps.ledger.models import Account, Hold, HoldEntry, Transfer
from tenant_apps.ledger.selectors import funds_of
from tenant_apps.ledger.services import (
    capture,
    expire_holds,
    post,
    release,
    reserve,
    stop_postings,
)
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import kes, posting

pytestmark = pytest.mark.usefixtures("tenant")


def request(amount: str, *, party: UUID, **values: Any) -> HoldRequest:
    source = values.pop("source", None) or uuid7()
    return HoldRequest(
        id=uuid8_near(source, "hold"),
        account_code="2000",
        subledger_id=party,
        amount=kes(amount),
        source_type="tests.document",
        source_id=source,
        **values,
    )


def charge(amount: str, *, party: UUID, source: UUID | None = None) -> Posting:
    return posting("payment.allocated", amount=amount, party=party, source=source)


def funds(party: UUID) -> tuple[str, str, str]:
    found: Funds = funds_of(account_code="2000", subledger_id=party, currency="KES")
    assert found.available is not None
    return found.posted.to_string(), found.held.to_string(), found.available.to_string()


def entries(hold_id: UUID) -> list[tuple[int, str, str, str]]:
    rows = HoldEntry.objects.filter(hold_id=hold_id).order_by("number")
    return [(e.number, e.kind, e.amount.to_string(), e.held.to_string()) for e in rows]


@pytest.fixture
def party(actor: Actor) -> UUID:
    """A customer who has put down 100.00."""
    customer = uuid4()
    post(postings=[posting("payment.received.cash", amount="100.00", party=customer)], actor=actor)
    return customer


def test_held_funds_stay_in_the_balance_and_leave_what_is_available(
    actor: Actor, party: UUID
) -> None:
    (held,) = reserve(holds=[request("60.00", party=party)], actor=actor)
    assert (held.state, held.remaining, held.replayed) == ("open", kes("60.00"), False)
    assert funds(party) == ("100.00", "60.00", "40.00")
    assert entries(held.hold_id) == [(1, "reserve", "60.00", "60.00")]


def test_what_is_held_cannot_be_spent_or_held_again(actor: Actor, party: UUID) -> None:
    reserve(holds=[request("60.00", party=party)], actor=actor)
    for act in (
        lambda: reserve(holds=[request("40.01", party=party)], actor=actor),
        lambda: post(postings=[charge("40.01", party=party)], actor=actor),
        lambda: post(postings=[charge("20.00", party=party) for _ in range(3)], actor=actor),
    ):
        with pytest.raises(BelowFloor), transaction.atomic():
            act()
    assert funds(party) == ("100.00", "60.00", "40.00")
    assert Hold.objects.count() == 1
    post(postings=[charge("40.00", party=party)], actor=actor)
    assert funds(party) == ("60.00", "60.00", "0.00")


def test_a_capture_posts_and_releases_the_rest(actor: Actor, party: UUID) -> None:
    (held,) = reserve(holds=[request("60.00", party=party)], actor=actor)
    journal = capture(hold_id=held.hold_id, posting=charge("45.00", party=party), actor=actor)
    assert funds(party) == ("55.00", "0.00", "55.00")
    assert entries(held.hold_id) == [
        (1, "reserve", "60.00", "60.00"),
        (2, "capture", "45.00", "15.00"),
        (3, "release", "15.00", "0.00"),
    ]
    hold = Hold.objects.get()
    assert (hold.state, hold.captured, hold.released) == ("captured", kes("45.00"), kes("15.00"))
    captured = HoldEntry.objects.get(kind="capture")
    assert captured.journal_id == journal.id
    assert Transfer.objects.of_journal(journal.id).count() == 1
    assert verify().books_hold


def test_captures_in_part_until_it_is_used_up(actor: Actor, party: UUID) -> None:
    (held,) = reserve(holds=[request("60.00", party=party)], actor=actor)

    def take(amount: str) -> None:
        part = charge(amount, party=party)
        capture(hold_id=held.hold_id, posting=part, actor=actor, release_rest=False)

    take("20.00")
    assert funds(party) == ("80.00", "40.00", "40.00")
    with pytest.raises(HoldExceeded), transaction.atomic():
        take("40.01")
    take("40.00")
    assert funds(party) == ("40.00", "0.00", "40.00")
    assert Hold.objects.get().state == "captured"
    with pytest.raises(HoldClosed), transaction.atomic():
        take("0.01")
    assert funds(party) == ("40.00", "0.00", "40.00")
    assert verify().books_hold


def test_released_funds_may_be_used_again(actor: Actor, party: UUID) -> None:
    (held,) = reserve(holds=[request("100.00", party=party)], actor=actor)
    released = release(hold_id=held.hold_id, actor=actor)
    assert (released.state, released.remaining, released.replayed) == (
        "released",
        kes("0.00"),
        False,
    )
    assert release(hold_id=held.hold_id, actor=actor).replayed
    assert funds(party) == ("100.00", "0.00", "100.00")
    with pytest.raises(HoldClosed), transaction.atomic():
        capture(hold_id=held.hold_id, posting=charge("1.00", party=party), actor=actor)
    assert funds(party) == ("100.00", "0.00", "100.00")
    assert entries(held.hold_id)[1:] == [(2, "release", "100.00", "0.00")]


def test_the_sweeper_gives_back_what_has_outlived_its_time(
    actor: Actor, party: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = clock.now()
    short, long, endless = (
        reserve(holds=[request("10.00", party=party, expires_at=at)], actor=actor)[0]
        for at in (start + timedelta(minutes=5), start + timedelta(hours=5), None)
    )
    assert expire_holds(actor=actor) == 0
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(minutes=5))
    assert expire_holds(actor=actor, limit=1) == 1
    assert expire_holds(actor=actor) == 0
    states = dict(Hold.objects.values_list("pk", "state"))
    assert (states[short.hold_id], states[long.hold_id], states[endless.hold_id]) == (
        "expired",
        "open",
        "open",
    )
    assert funds(party) == ("100.00", "20.00", "80.00")
    assert entries(short.hold_id)[1:] == [(2, "expire", "10.00", "20.00")]
    assert verify().books_hold


def test_expires_many_at_once_step_by_step(
    actor: Actor, party: UUID, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    """In one statement, and yet each entry says what was held right after it."""
    start, other = clock.now(), uuid4()
    post(postings=[posting("payment.received.cash", amount="50.00", party=other)], actor=actor)
    over = start + timedelta(minutes=5)
    mine = [
        reserve(holds=[request(amount, party=party, expires_at=over)], actor=actor)[0].hold_id
        for amount in ("10.00", "20.00", "30.00")
    ]
    (theirs,) = reserve(holds=[request("7.00", party=other, expires_at=over)], actor=actor)
    (kept,) = reserve(holds=[request("5.00", party=party)], actor=actor)
    capture(
        hold_id=mine[1],
        posting=charge("4.00", party=party),
        actor=actor,
        release_rest=False,
    )
    release(hold_id=mine[2], actor=actor)
    monkeypatch.setattr(clock, "now", lambda: over)
    with django_assert_max_num_queries(8):
        assert expire_holds(actor=actor) == 3
    assert expire_holds(actor=actor) == 0
    states = {hold.pk: hold.state for hold in Hold.objects.all()}
    assert [states[one] for one in mine] == ["expired", "captured", "released"]
    assert (states[theirs.hold_id], states[kept.hold_id]) == ("expired", "open")
    first, second = sorted(mine[:2])
    rest = {mine[0]: "10.00", mine[1]: "16.00"}
    after_first = kes("5.00") + kes(rest[second])
    assert entries(first)[-1][1:] == ("expire", rest[first], after_first.to_string())
    assert entries(second)[-1][1:] == ("expire", rest[second], "5.00")
    assert entries(theirs.hold_id)[1:] == [(2, "expire", "7.00", "0.00")]
    assert funds(party) == ("96.00", "5.00", "91.00")
    assert verify().books_hold


def test_nothing_expires_while_the_books_are_stopped(
    actor: Actor, party: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = clock.now() + timedelta(minutes=5)
    reserve(holds=[request("10.00", party=party, expires_at=over)], actor=actor)
    stop_postings(alarm_id=uuid4(), invariant="ledger.held", actor=actor)
    monkeypatch.setattr(clock, "now", lambda: over)
    with pytest.raises(BooksStopped), transaction.atomic():
        expire_holds(actor=actor)
    assert funds(party) == ("100.00", "10.00", "90.00")


def test_the_same_request_again_answers_what_stands(actor: Actor, party: UUID) -> None:
    wanted = request("60.00", party=party)
    (held,) = reserve(holds=[wanted], actor=actor)
    (again,) = reserve(holds=[wanted], actor=actor)
    assert (again.replayed, again.remaining) == (True, kes("60.00"))
    part = charge("45.00", party=party, source=wanted.source_id)
    first = capture(hold_id=held.hold_id, posting=part, actor=actor)
    second = capture(hold_id=held.hold_id, posting=part, actor=actor)
    assert (first.id, second.id, second.replayed) == (first.id, first.id, True)
    (closed,) = reserve(holds=[wanted], actor=actor)
    assert (closed.replayed, closed.state, closed.remaining) == (True, "captured", kes("0.00"))
    assert funds(party) == ("55.00", "0.00", "55.00")
    assert HoldEntry.objects.count() == 3


def test_refuses_other_content_under_the_same_id(actor: Actor, party: UUID) -> None:
    source = uuid7()
    reserve(holds=[request("60.00", party=party, source=source)], actor=actor)
    for other in (
        request("60.01", party=party, source=source),
        request("1.00", party=uuid4(), source=source),
        request("10.00", party=party, source=source),
    ):
        with pytest.raises((PostingMismatch, BelowFloor)), transaction.atomic():
            reserve(holds=[other], actor=actor)
    assert funds(party) == ("100.00", "60.00", "40.00")


def test_several_holds_are_all_or_none(actor: Actor, party: UUID) -> None:
    with pytest.raises(BelowFloor), transaction.atomic():
        reserve(holds=[request("60.00", party=party) for _ in range(2)], actor=actor)
    assert funds(party) == ("100.00", "0.00", "100.00")
    both = [request("50.00", party=party) for _ in range(2)]
    answers = reserve(holds=both, actor=actor)
    assert [answer.hold_id for answer in answers] == [one.id for one in both]
    assert funds(party) == ("100.00", "100.00", "0.00")


def test_refuses_what_cannot_be_held(actor: Actor, party: UUID) -> None:
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (NegativeAmount, lambda: reserve(holds=[request("0.00", party=party)], actor=actor)),
        (NegativeAmount, lambda: reserve(holds=[request("-1.00", party=party)], actor=actor)),
        (UnknownHold, lambda: release(hold_id=uuid4(), actor=actor)),
        (
            UnknownHold,
            lambda: capture(hold_id=uuid4(), posting=charge("1.00", party=party), actor=actor),
        ),
        (
            UnknownAccount,
            lambda: reserve(
                holds=[replace(request("1.00", party=party), subledger_id=None)], actor=actor
            ),
        ),
    ]
    for refusal, act in refused:
        with pytest.raises(refusal), transaction.atomic():
            act()
    assert funds(party) == ("100.00", "0.00", "100.00")
    assert not Hold.objects.exists()


def test_a_hold_is_found_by_its_source(actor: Actor, party: UUID) -> None:
    wanted = request("1.00", party=party)
    reserve(holds=[wanted], actor=actor)
    assert Hold.objects.of_source(wanted.source_id).get().pk == wanted.id
    with pytest.raises(ValueError, match="begins as its source"):
        replace(wanted, id=uuid8_near(UUID(int=1), "hold"))


def test_a_capture_takes_from_the_account_that_is_held_on(actor: Actor, party: UUID) -> None:
    (held,) = reserve(holds=[request("60.00", party=party)], actor=actor)
    for other in (
        charge("10.00", party=uuid4()),
        posting("payment.received.cash", amount="10.00", party=party),
        posting("commission.accrued", amount="10.00", user=uuid4()),
    ):
        with pytest.raises(AmountsDoNotFitRule), transaction.atomic():
            capture(hold_id=held.hold_id, posting=other, actor=actor)
    assert funds(party) == ("100.00", "60.00", "40.00")


def test_a_capture_does_not_use_up_the_hold_for_what_was_posted_without_it(
    actor: Actor, party: UUID
) -> None:
    first, second = reserve(holds=[request("30.00", party=party) for _ in range(2)], actor=actor)
    posted = charge("10.00", party=party)
    post(postings=[posted], actor=actor)
    captured = charge("20.00", party=party)
    capture(hold_id=first.hold_id, posting=captured, actor=actor)
    for again in (posted, captured):
        with pytest.raises(PostingMismatch), transaction.atomic():
            capture(hold_id=second.hold_id, posting=again, actor=actor)
    assert funds(party) == ("70.00", "30.00", "40.00")
    assert Hold.objects.get(pk=second.hold_id).state == "open"


def test_nobody_else_writes_holds(actor: Actor, party: UUID) -> None:
    reserve(holds=[request("60.00", party=party)], actor=actor)
    for statement in (
        "UPDATE ledger_hold SET state = 'released', released_minor = amount_minor",
        "DELETE FROM ledger_hold",
        "DELETE FROM ledger_holdentry",
        "UPDATE ledger_holdentry SET amount_minor = 1",
        "INSERT INTO ledger_holdentry SELECT * FROM ledger_holdentry",
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            connection.cursor().execute(statement)
    assert funds(party) == ("100.00", "60.00", "40.00")


def test_locks_beforehand_only_where_the_held_account_is_not_the_first(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[UUID] = []
    real = database.lock_holds

    def noted(**given: Any) -> None:
        locked.extend(given["hold_ids"])
        real(**given)

    monkeypatch.setattr(database, "lock_holds", noted)
    seen = set()
    for _ in range(12):
        party = uuid4()
        paid = posting("payment.received.cash", amount="20.00", party=party)
        post(postings=[paid], actor=actor)
        (held,) = reserve(holds=[request("5.00", party=party)], actor=actor)
        capture(hold_id=held.hold_id, posting=charge("5.00", party=party), actor=actor)
        accounts = Account.objects.filter(subledger_id=party)
        first = accounts.order_by("lock_rank", "id").values_list("id", flat=True)[0]
        assert (held.hold_id in locked) == (first != held.account_id)
        seen.add(first == held.account_id)
    assert seen == {True, False}
