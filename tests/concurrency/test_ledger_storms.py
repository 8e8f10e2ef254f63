"""Many processes at once: nothing is lost, nothing goes below its floor, nobody deadlocks."""

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, date, datetime
from functools import partial
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger.models import Account, CreditLine, FiscalPeriod, Hold, Transfer
from tenant_apps.ledger.needed import NeededAccounts
from tenant_apps.ledger.selectors import balance_of, funds_of
from tenant_apps.ledger.services import (
    CreditChange,
    HoldRequest,
    JournalLine,
    Posting,
    Reversal,
    add_account,
    capture,
    change_credit,
    close_account,
    close_period,
    expire_holds,
    open_credit_line,
    open_fiscal_year,
    post,
    post_manual_journal,
    release,
    reopen_period,
    reserve,
    reverse,
    set_credit_limit,
    stripe_account,
)
from tenant_apps.ledger.services.accounts import open_needed
from tenant_apps.ledger.verification import verify
from tenants.context import tenant_context
from tests.ledger.conftest import kes, posting
from tests.storms import PROCESSES, storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]


def attempt(act: Callable[[], object]) -> str:
    """What became of one transaction: "done", or the code of its refusal."""
    try:
        with transaction.atomic():
            act()
    except DomainError as refusal:
        return refusal.code
    return "done"


def commit(*postings: Posting) -> None:
    with transaction.atomic():
        post(postings=postings, actor=system_actor("test"))


def tried(*postings: Posting) -> str:
    """Post in a transaction of its own; answer what became of it."""
    return attempt(partial(post, postings=postings, actor=system_actor("test")))


def hold() -> None:
    result = verify()
    assert result.books_hold, result.findings


def test_a_deposit_of_1000_gives_1000_and_no_more(actor: Actor) -> None:
    customer = uuid4()
    commit(posting("payment.received.cash", amount="1000.00", party=customer))

    def debit(_: int) -> Counter[str]:
        return Counter(
            tried(posting("payment.allocated", amount="1.00", party=customer)) for _ in range(400)
        )

    outcomes = storm(debit)
    assert outcomes == {"done": 1000, "below_floor": 400 * PROCESSES - 1000}
    assert Transfer.objects.filter(rule="payment.allocated").count() == 1000
    left = balance_of(account_code="2000", subledger_id=customer, currency="KES")
    assert left.is_zero
    hold()


def test_a_striped_account_gives_what_its_stripes_have_together(actor: Actor) -> None:
    Account.objects.chart().filter(code="1000").update(floor=0)
    cash = Account.objects.chart().get(code="1000")
    stripe_account(actor=actor, account_id=cash.id, stripes=8)
    commit(*(posting("payment.received.cash", amount="0.81", party=uuid4()) for _ in range(100)))

    def take(amount: str) -> str:
        lines = [
            JournalLine(account_code="5200", side="debit", amount=kes(amount)),
            JournalLine(account_code="1000", side="credit", amount=kes(amount)),
        ]
        act = partial(
            post_manual_journal,
            actor=system_actor("test"),
            lines=lines,
            effective_on=date(2026, 11, 5),
            memo="Taken",
        )
        return attempt(act)

    def work(number: int) -> Counter[str]:
        ends: Counter[str] = Counter()
        for _ in range(20):
            if number % 2:
                ends[
                    "in " + tried(posting("payment.received.cash", amount="1.00", party=uuid4()))
                ] += 1
            else:
                ends["out " + take("1.50")] += 1
        return ends

    outcomes = storm(work)
    half = PROCESSES // 2 * 20
    assert outcomes["in done"] == half
    assert outcomes["out done"] + outcomes["out below_floor"] == half
    left = balance_of(account_code="1000", currency="KES")
    assert left == kes("81.00") + kes("1.00") * half - kes("1.50") * outcomes["out done"]
    # Of what is left, whatever the stripes, one more withdrawal takes all.
    assert take(str(left.to_string())) == "done"
    assert take("0.01") == "below_floor"
    hold()


@pytest.mark.parametrize("size", [1, 2])
def test_a_deposit_of_400_gives_400_and_no_more(actor: Actor, size: int) -> None:
    customer, one = uuid4(), range(size)
    commit(posting("payment.received.cash", amount="400.00", party=customer))

    def debit(_: int) -> Counter[str]:
        return Counter(
            tried(*(posting("payment.allocated", amount="1.00", party=customer) for _ in one))
            for _ in range(50 // size)
        )

    outcomes = storm(debit)
    assert outcomes == {"done": 400 // size, "below_floor": (50 * PROCESSES - 400) // size}
    for code, left in (("2000", "0.00"), ("1200", "-400.00")):
        held = balance_of(account_code=code, subledger_id=customer, currency="KES")
        assert held.to_string() == left
    hold()


@pytest.mark.parametrize("size", [1, 3])
def test_the_same_request_in_parallel_is_done_once(actor: Actor, size: int) -> None:
    customer = uuid4()
    rounds = [
        [posting("payment.received.cash", amount="2.00", party=customer) for _ in range(size)]
        for _ in range(20)
    ]

    def repeat(_: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        for postings in rounds:
            with transaction.atomic():
                journals = post(postings=postings, actor=actor)
            seen["replayed"] += sum(journal.replayed for journal in journals)
            seen["fresh"] += sum(not journal.replayed for journal in journals)
        return seen

    outcomes = storm(repeat)
    assert outcomes == {"fresh": 20 * size, "replayed": 20 * size * (PROCESSES - 1)}
    assert Transfer.objects.count() == 20 * size
    hold()


@pytest.mark.parametrize("size", [1, 3])
def test_the_same_request_in_parallel_at_the_floor(actor: Actor, size: int) -> None:
    """The second of two equal requests finds the deposit used up, by itself."""
    customer = uuid4()
    commit(posting("payment.received.cash", amount=f"{20 * size}.00", party=customer))
    rounds = [
        [posting("payment.allocated", amount="1.00", party=customer) for _ in range(size)]
        for _ in range(20)
    ]

    def repeat(_: int) -> Counter[str]:
        return Counter(tried(*postings) for postings in rounds)

    assert storm(repeat) == {"done": 20 * PROCESSES}
    hold()


def test_new_accounts_are_opened_together(actor: Actor) -> None:
    customers = [uuid4() for _ in range(40)]

    def sell(_: int) -> Counter[str]:
        mine = random.sample(customers, len(customers))
        sales = [posting("invoice.issued", net="1.00", tax="1.00", party=one) for one in mine]
        return Counter(tried(*sales[start : start + 10]) for start in range(0, 40, 10))

    assert storm(sell) == {"done": 4 * PROCESSES}
    opened = Account.objects.filter(subledger_id__in=customers).count()
    assert opened == len(customers)
    hold()


@pytest.mark.parametrize("size", [1, 2])
def test_the_same_source_with_other_content_is_refused_to_all_but_one(
    actor: Actor, size: int
) -> None:
    """Each with a customer and a deposit of its own, so that no balance makes them wait."""
    sources = [[uuid4() for _ in range(size)] for _ in range(15)]

    def claim(_: int) -> Counter[str]:
        customer = uuid4()
        commit(posting("payment.received.cash", amount="90.00", party=customer))
        use = partial(posting, "payment.allocated", party=customer)
        return Counter(
            tried(*(use(amount="1.00", source=source) for source in batch)) for batch in sources
        )

    outcomes = storm(claim)
    assert outcomes == {"done": 15, "posting_mismatch": 15 * (PROCESSES - 1)}
    assert Transfer.objects.filter(rule="payment.allocated").count() == 15 * size
    hold()


def test_batches_over_the_same_accounts_do_not_deadlock(actor: Actor) -> None:
    customers = [uuid4() for _ in range(12)]
    commit(*(posting("payment.received.cash", amount="900.00", party=one) for one in customers))

    def mix(_: int) -> Counter[str]:
        return Counter(tried(*_mixture(customers)) for _ in range(30))

    outcomes = storm(mix)
    assert outcomes == {"done": 30 * PROCESSES}
    hold()


def _mixture(customers: list[UUID]) -> list[Posting]:
    rules = ("payment.received.cash", "payment.received.card", "payment.allocated")
    return [
        posting(random.choice(rules), amount="0.10", party=random.choice(customers))
        for _ in range(random.randint(1, 8))
    ]


def test_nothing_slips_into_a_period_that_is_being_closed(actor: Actor) -> None:
    """Whatever the closer counts in its own transaction is all there will ever be."""
    customer, october = uuid4(), date(2031, 10, 15)
    with clock.frozen(datetime(2031, 11, 20, tzinfo=UTC)):
        with transaction.atomic():
            periods = open_fiscal_year(actor=actor, fiscal_year=2031)
        period_id = next(period.id for period in periods if period.number == 10)
        commit(posting("payment.received.cash", amount="1.00", party=customer, day=october))

        def work(number: int) -> Counter[str]:
            return close(number) if number == 0 else sell(number)

        def close(_: int) -> Counter[str]:
            seen: Counter[str] = Counter()
            for _ in range(25):
                with transaction.atomic():
                    close_period(actor=actor, period_id=period_id)
                    counted = Transfer.objects.filter(effective_on=october).count()
                seen["closed"] += 1
                later = Transfer.objects.filter(effective_on=october).count()
                seen["slipped in"] += later - counted
                with transaction.atomic():
                    reopen_period(actor=actor, period_id=period_id, reason="once more")
            return seen

        def sell(number: int) -> Counter[str]:
            sale = partial(posting, "payment.received.cash", party=customer, day=october)
            size = 1 + number % 2
            return Counter(tried(*(sale(amount="1.00") for _ in range(size))) for _ in range(60))

        outcomes = storm(work, processes=8)
    assert outcomes["closed"] == 25
    assert outcomes["slipped in"] == 0
    assert outcomes["done"] > 0
    assert outcomes["done"] + outcomes["period_closed"] == 7 * 60
    assert FiscalPeriod.objects.get(id=period_id).state == "open"
    hold()


def test_one_of_many_reversals_wins(actor: Actor) -> None:
    sale = posting("invoice.issued", net="9.00", tax="1.00", party=uuid4())
    commit(sale)
    undo = Reversal(
        source_type=sale.source_type, source_id=sale.source_id, effective_on=date(2026, 11, 3)
    )

    def work(_: int) -> Counter[str]:
        return Counter([attempt(partial(reverse, reversals=[undo], actor=actor))])

    assert storm(work) == {"done": 1, "already_reversed": PROCESSES - 1}
    hold()


def test_no_account_is_opened_under_a_line_that_is_being_closed(
    real_commits: Any, actor: Actor
) -> None:
    with transaction.atomic():
        chart = add_account(actor=actor, code="5210", name="Electricity", kind="expense")
    needed = NeededAccounts()
    needed.add(chart=chart, currency="KES", subledger_id=None)
    closing: Future[str] = Future()

    def close() -> None:
        try:
            with tenant_context(real_commits), transaction.atomic():
                close_account(actor=actor, account_id=chart.id)
            closing.set_result("done")
        except DomainError as error:
            closing.set_result(error.code)
        finally:
            connection.close()

    thread = Thread(target=close)
    with transaction.atomic():
        open_needed(needed=needed, actor=actor)
        thread.start()
        # The one who closes waits for the one who is about to post.
        with pytest.raises(TimeoutError):
            closing.result(timeout=2)
        lines = [
            JournalLine(account_code="5210", side="debit", amount=kes("5.00")),
            JournalLine(account_code="1000", side="credit", amount=kes("5.00")),
        ]
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")
    thread.join(20)
    assert closing.result(timeout=1) == "account_not_empty"
    hold()


def _request(customer: UUID, amount: str, *, expires_at: datetime | None = None) -> HoldRequest:
    source = uuid7()
    return HoldRequest(
        id=uuid8_near(source, "hold"),
        account_code="2000",
        subledger_id=customer,
        amount=kes(amount),
        source_type="tests.document",
        source_id=source,
        expires_at=expires_at,
    )


def test_a_deposit_of_400_holds_400_and_no_more(actor: Actor) -> None:
    customer = uuid4()
    commit(posting("payment.received.cash", amount="400.00", party=customer))

    def take(_: int) -> Counter[str]:
        return Counter(
            attempt(partial(reserve, holds=[_request(customer, "1.00")], actor=actor))
            for _ in range(50)
        )

    assert storm(take) == {"done": 400, "below_floor": 50 * PROCESSES - 400}
    found = funds_of(account_code="2000", subledger_id=customer, currency="KES")
    assert (found.posted, found.held, found.available) == (
        kes("400.00"),
        kes("400.00"),
        kes("0.00"),
    )
    hold()


def test_of_capture_release_and_expiry_one_wins(actor: Actor) -> None:
    """Every hold is fought over by all processes; each ends once, in one way."""
    customers = [uuid4() for _ in range(4)]
    for customer in customers:
        commit(posting("payment.received.cash", amount="100.00", party=customer))
    over = clock.now()
    wanted = [_request(customers[number % 4], "2.00", expires_at=over) for number in range(40)]
    with transaction.atomic():
        reserve(holds=wanted, actor=actor)

    def end(hold_id: UUID, customer: UUID, source: UUID) -> str:
        charge = posting("payment.allocated", amount="1.50", party=customer, source=source)
        acts: list[Callable[[], object]] = [
            partial(capture, hold_id=hold_id, posting=charge, actor=actor),
            partial(release, hold_id=hold_id, actor=actor),
            partial(expire_holds, actor=actor, limit=3),
        ]
        return attempt(random.choice(acts))

    def fight(_: int) -> Counter[str]:
        return Counter(
            end(one.id, one.subledger_id or UUID(int=0), one.source_id)
            for one in random.sample(wanted, len(wanted))
        )

    outcomes = storm(fight)
    assert set(outcomes) <= {"done", "hold_closed"}, outcomes
    with transaction.atomic():
        expire_holds(actor=actor)
    hold()
    assert not Hold.objects.open().exists()
    captured = Hold.objects.filter(state="captured").count()
    assert Transfer.objects.filter(rule="payment.allocated").count() == captured > 0
    left = sum(
        funds_of(account_code="2000", subledger_id=one, currency="KES").posted.minor
        for one in customers
    )
    assert left == 4 * 10_000 - captured * 150


def test_a_limit_of_400_lets_400_through_and_no_more(actor: Actor) -> None:
    """Two lines for every sale, which the processes name in random order."""
    clients = [uuid4(), uuid4()]
    with transaction.atomic():
        for client in clients:
            open_credit_line(
                subject_type="tests.client", subject_id=client, currency="KES", actor=actor
            )
            origin = uuid7()
            set_credit_limit(
                id=uuid8_near(origin, "limit"),
                subject_type="tests.client",
                subject_id=client,
                currency="KES",
                limit=kes("400.00"),
                effective_on=date(2026, 11, 2),
                source_type="tests.decision",
                source_id=origin,
                actor=actor,
            )

    def sell(_: int) -> Counter[str]:
        return Counter(
            attempt(partial(change_credit, changes=_uses(clients), actor=actor)) for _ in range(50)
        )

    assert storm(sell) == {"done": 400, "above_credit_limit": 50 * PROCESSES - 400}
    assert set(CreditLine.objects.values_list("used_minor", "version")) == {(40_000, 401)}
    hold()


def _uses(clients: list[UUID]) -> list[CreditChange]:
    origin = uuid7()
    return [
        CreditChange(
            id=uuid8_near(origin, "use", client),
            subject_type="tests.client",
            subject_id=client,
            kind="use",
            used=kes("1.00"),
            held=kes("0.00"),
            effective_on=date(2026, 11, 2),
            source_type="tests.document",
            source_id=origin,
        )
        for client in random.sample(clients, len(clients))
    ]
