"""Many sell at once while revenue is counted later: at each moment the books are even and exact."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.transactions import one_moment, retrying
from tenant_apps.ledger import database, folding
from tenant_apps.ledger.entries import Leg, Outcome, Posting, Reversal
from tenant_apps.ledger.folding import credited_later
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.invariants import balances
from tenant_apps.ledger.invariants import trial_balance as watched
from tenant_apps.ledger.models import (
    Account,
    AccountStatus,
    DeferredCredit,
    FiscalPeriod,
    FoldedCredit,
    Transfer,
)
from tenant_apps.ledger.selectors import balance_of, trial_balance
from tenant_apps.ledger.services import (
    close_account,
    close_period,
    fold_waiting,
    open_fiscal_year,
    post,
    reopen_account,
    reopen_period,
    reverse,
    stripe_account,
)
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting
from tests.ledger.later import account_of, by_hand, charge, counted, defer, leg_of
from tests.storms import PROCESSES, storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

ROUNDS = 60
SELLERS, FOLDERS, READERS = 8, 2, 2

_EXACT = """
SELECT (SELECT sum(t.amount_minor) FROM ledger_transfer t WHERE t.credit_account_id = %(account)s),
       (SELECT coalesce(sum(t.amount_minor), 0) FROM ledger_transfer t
         WHERE t.debit_account_id = %(account)s),
       (SELECT count(*) FROM ledger_transfer t WHERE t.credit_version IS NULL),
       (SELECT count(*) FROM ledger_deferredcredit), (SELECT count(*) FROM ledger_foldedcredit)
"""


def sale() -> Posting:
    amount = f"{random.randint(1, 9)}.00"
    return posting("invoice.issued", net=amount, tax="1.00", party=uuid4())


def test_nothing_is_lost_or_counted_twice(actor: Actor) -> None:
    with transaction.atomic():
        defer(actor)
        post(postings=[sale()], actor=actor)
    revenue = account_of("4000")

    def work(number: int) -> Counter[str]:
        if number < FOLDERS:
            return fold()
        if number < FOLDERS + READERS:
            return read()
        if number == FOLDERS + READERS:
            return fold_and_be_killed()
        if number == FOLDERS + READERS + 1:
            return settle_and_watch()
        return sell()

    def sell() -> Counter[str]:
        seen: Counter[str] = Counter()
        for _ in range(ROUNDS):
            batch = [sale() for _ in range(random.choice([1, 1, 1, 5]))]
            try:
                with transaction.atomic():
                    post(postings=batch, actor=actor)
                    if random.random() < 0.2:
                        # A credit note: its debit is counted at once.
                        back = Reversal(
                            source_type=batch[0].source_type,
                            source_id=batch[0].source_id,
                            effective_on=batch[0].effective_on,
                        )
                        reverse(reversals=[back], actor=actor)
            except OperationalError as problem:
                seen[f"deadlock {problem}"] += 1
                continue
            if random.random() < 0.3:
                with transaction.atomic():
                    again = post(postings=batch, actor=actor)
                seen["not replayed"] += sum(not journal.replayed for journal in again)
            seen["sold"] += len(batch)
        return seen

    def fold() -> Counter[str]:
        seen: Counter[str] = Counter()
        for _ in range(2 * ROUNDS):
            seen["folded"] += fold_waiting()
            time.sleep(0.01)
        return seen

    def fold_and_be_killed() -> Counter[str]:
        """A folder that dies at any moment, also between its statement and its commit."""
        seen: Counter[str] = Counter()
        for _ in range(ROUNDS // 3):
            connection.close()
            child = os.fork()
            if child == 0:
                while True:
                    with transaction.atomic():
                        for account_id in credited_later():
                            folding.fold(account_id=account_id, limit=7)
                        time.sleep(random.choice([0, 0.005]))
            time.sleep(random.uniform(0.02, 0.12))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            seen["killed"] += 1
        return seen

    def read() -> Counter[str]:
        """In one moment's view: even, exact, and what was deferred either waits or is counted."""
        seen: Counter[str] = Counter()
        for _ in range(2 * ROUNDS):
            with one_moment():
                held = balance_of(account_code="4000", currency="KES").minor
                totals = trial_balance().totals
                with connection.cursor() as cursor:
                    cursor.execute(_EXACT, {"account": revenue})
                    credits, debits, deferred, waiting, folded = cursor.fetchone()
            seen["uneven"] += sum(not total.difference.is_zero for total in totals)
            seen["inexact"] += held != credits - debits
            seen["lost or doubled"] += deferred != waiting + folded
            # Each statement by itself sees one moment too.
            seen["uneven"] += sum(not t.difference.is_zero for t in trial_balance().totals)
            seen["moments"] += 1
        return seen

    def settle_and_watch() -> Counter[str]:
        seen: Counter[str] = Counter()
        since: Any = object()
        for _ in range(ROUNDS):
            seen["settled"] += settle() is not None
            alarms = [*balances(since=since).findings, *watched(since=since).findings]
            seen["alarms"] += len(alarms)
            seen.update(str(alarm) for alarm in alarms[:3])
        return seen

    outcomes = storm(work, processes=SELLERS + FOLDERS + READERS + 2)
    expected = {"moments": 4 * ROUNDS, "killed": ROUNDS // 3}
    assert {name: outcomes[name] for name in expected} == expected, outcomes
    wrong = ("uneven", "inexact", "lost or doubled", "alarms", "not replayed")
    assert not any(outcomes[name] for name in wrong), outcomes
    assert set(outcomes) <= {*expected, *wrong, "sold", "folded", "settled"}, outcomes
    assert outcomes["settled"] >= ROUNDS // 2

    fold_waiting()
    assert not DeferredCredit.objects.exists()
    assert settle() is not None
    result = verify()
    assert result.books_hold, result.findings
    deferred = Transfer.objects.filter(credit_version=None).count()
    assert FoldedCredit.objects.count() == deferred == 2 * (outcomes["sold"] + 1)
    version, posted = counted("4000")
    assert posted == balance_of(account_code="4000", currency="KES").minor
    assert version == Transfer.objects.touching(revenue).count()


def became(act: Callable[[], object]) -> str:
    """What became of one transaction, which nobody tries again."""
    try:
        with transaction.atomic():
            act()
    except DomainError as refusal:
        return refusal.code
    return "done"


def test_who_credits_later_and_debits_never_deadlocks_with_who_closes(actor: Actor) -> None:
    """In either order, while the lines are closed, opened again, counted and settled."""
    with transaction.atomic():
        defer(actor, "4900", "2100")
        for code in ("4900", "2300"):
            by_hand(actor, "1000", code, "5.00")
            by_hand(actor, code, "1000", "5.00")
    lines = {code: Account.objects.chart().get(code=code).id for code in ("4900", "2300")}

    cash = account_of("1000")

    def credit_and_debit() -> None:
        # Among themselves they queue at the cash: what they meet then are the others.
        database.lock_balances(account_ids=[cash])
        size, amount = random.choice([(1, "0.50"), (2, "1.00")])
        charge(size=size)
        by_hand(actor, "4900", "2300", amount)
        by_hand(actor, "2300", "1000", amount)

    def debit_and_credit() -> None:
        database.lock_balances(account_ids=[cash])
        size, amount = random.choice([(1, "0.50"), (2, "1.00")])
        by_hand(actor, "4900", "2300", amount)
        charge(size=size)
        by_hand(actor, "2300", "1000", amount)

    def work(number: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        if number < 2:
            for _ in range(ROUNDS // 2):
                line = random.choice([*lines.values()])
                seen[f"close {became(partial(close_account, actor=actor, account_id=line))}"] += 1
                seen[f"open {became(partial(reopen_account, actor=actor, account_id=line))}"] += 1
                time.sleep(random.uniform(0, 0.05))
        elif number == 2:
            for _ in range(ROUNDS):
                fold_waiting()
                seen["settled"] += settle() is not None
        else:
            for _ in range(ROUNDS):
                seen[became(random.choice([credit_and_debit, debit_and_credit]))] += 1
        return seen

    outcomes = storm(work, processes=7)
    expected = {"done", "account_unusable", "settled"}
    expected |= {"close done", "close account_already_closed", "close account_not_empty"}
    expected |= {"open done", "open account_not_closed"}
    assert set(outcomes) <= expected, outcomes
    assert outcomes["done"] + outcomes["account_unusable"] == 4 * ROUNDS, outcomes
    assert min(outcomes["close done"], outcomes["done"]) >= 1, outcomes
    fold_waiting()
    for line in lines.values():
        if Account.objects.get(id=line).status == AccountStatus.CLOSED:
            reopen_account(actor=actor, account_id=line)
    result = verify()
    assert result.books_hold, result.findings


@pytest.mark.parametrize("size", [1, 2])
def test_nothing_slips_into_a_period_that_is_being_closed(actor: Actor, size: int) -> None:
    """And whoever is refused is told of the period, also where it is open again by then."""
    october = date(2031, 10, 10)
    with clock.frozen(datetime(2031, 11, 20, 12, tzinfo=UTC)):
        with transaction.atomic():
            if not FiscalPeriod.objects.filter(starts_on=date(2031, 10, 1)).exists():
                open_fiscal_year(actor=actor, fiscal_year=2031)
            defer(actor, "4900")
            by_hand(actor, "1000", "4900", "5.00")
        period_id = FiscalPeriod.objects.get(starts_on=date(2031, 10, 1)).id

        def work(number: int) -> Counter[str]:
            return close() if number == 0 else sell()

        def close() -> Counter[str]:
            seen: Counter[str] = Counter()
            for _ in range(40):
                with transaction.atomic():
                    close_period(actor=actor, period_id=period_id)
                    counted = Transfer.objects.filter(effective_on=october).count()
                seen["closed"] += 1
                later = Transfer.objects.filter(effective_on=october).count()
                seen["slipped in"] += later - counted
                with transaction.atomic():
                    reopen_period(actor=actor, period_id=period_id, reason="once more")
            return seen

        def sell() -> Counter[str]:
            pay = partial(charge, size=size, effective_on=october)
            return Counter(became(pay) for _ in range(100))

        outcomes = storm(work, processes=8)
    assert outcomes["slipped in"] == 0, outcomes
    assert {*outcomes} <= {"closed", "slipped in", "done", "period_closed"}, outcomes
    assert outcomes["done"] + outcomes["period_closed"] == 7 * 100, outcomes
    result = verify()
    assert result.books_hold, result.findings


@pytest.mark.parametrize("size", [1, 2])
def test_the_same_request_from_many_stripes_is_done_once(actor: Actor, size: int) -> None:
    """They share no balance: the debits are of different stripes, and the credit is not locked."""
    with transaction.atomic():
        defer(actor, "4900")
        by_hand(actor, "1000", "4900", "1.00")
    cash = Account.objects.chart().get(code="1000")
    stripe_account(actor=actor, account_id=cash.id, stripes=PROCESSES)
    rounds = [[uuid7() for _ in range(size)] for _ in range(20)]

    def repeat(number: int) -> Counter[str]:
        ends: Counter[str] = Counter()
        for sources in rounds:
            legs = [leg_of(source, stripe=number) for source in sources]

            def post_all(legs: list[Leg] = legs) -> dict[UUID, Outcome]:
                with transaction.atomic():
                    return database.post_legs(legs=legs, posted_at=clock.now(), actor_id=None)

            outcomes = retrying(post_all).values()
            ends["fresh"] += sum(not outcome.replayed for outcome in outcomes)
            ends["replayed"] += sum(outcome.replayed for outcome in outcomes)
        return ends

    ends = storm(repeat)
    assert ends == {"fresh": 20 * size, "replayed": 20 * size * (PROCESSES - 1)}
    assert Transfer.objects.filter(source_type="tests.document").count() == 20 * size
    result = verify()
    assert result.books_hold, result.findings
