"""While eight processes post as fast as they can, the watch beside them sees nothing red."""

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.transactions import retrying
from tenant_apps.deals.services import DealWin, win_deals
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.services import (
    HoldRequest,
    Reversal,
    capture,
    post,
    release,
    reserve,
    reverse,
)
from tenant_apps.ledger.verification import verify
from tenant_apps.payments.services import verify_payment
from tests.cast import assemble
from tests.invariants.conftest import sale
from tests.ledger.conftest import kes, posting
from tests.payments.stories import a_payment, an_open_deal
from tests.storms import storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

POSTERS = 8
SECONDS = 8.0
ACTOR = system_actor("test")


def watching(until: float) -> Counter[str]:
    """Run the watch over and over, now by what changed, now everything."""
    seen: Counter[str] = Counter()
    while time.monotonic() < until:
        red = watch(actor=ACTOR, sweep=random.random() < 0.3)
        seen.update(red)
        seen["runs"] += 1
    return seen


def post_one(customers: list[UUID]) -> None:
    post(postings=[sale(random.choice(customers), "2.00")], actor=ACTOR)


def post_many(customers: list[UUID]) -> None:
    size = random.randint(2, 20)
    post(postings=[sale(random.choice(customers), "1.00") for _ in range(size)], actor=ACTOR)


def post_and_reverse(customers: list[UUID]) -> None:
    one = sale(random.choice(customers), "3.00")
    post(postings=[one], actor=ACTOR)
    undone = Reversal(
        source_type=one.source_type, source_id=one.source_id, effective_on=one.effective_on
    )
    reverse(reversals=[undone], actor=ACTOR)


def hold_and_end(customers: list[UUID]) -> None:
    customer, source = random.choice(customers), uuid7()
    request = HoldRequest(
        id=uuid8_near(source, "hold"),
        account_code="2000",
        subledger_id=customer,
        amount=kes("1.00"),
        source_type="tests.document",
        source_id=source,
    )
    (held,) = reserve(holds=[request], actor=ACTOR)
    charge = posting("payment.allocated", amount="0.40", party=customer, source=source)
    fate = random.random()
    if fate < 0.4:
        capture(hold_id=held.hold_id, posting=charge, actor=ACTOR)
    elif fate < 0.8:
        release(hold_id=held.hold_id, actor=ACTOR)


def undone(act: Callable[[], object]) -> None:
    """What is rolled back leaves neither a gap nor a trace."""
    act()
    transaction.set_rollback(True)


def test_no_posting_under_way_looks_wrong() -> None:
    customers = [uuid4() for _ in range(6)]
    with transaction.atomic():
        post(postings=[sale(one, "500.00") for one in customers], actor=ACTOR)
    assert watch(actor=ACTOR) == []
    acts = [post_one, post_many, post_and_reverse, hold_and_end]

    def work(number: int) -> Counter[str]:
        until = time.monotonic() + SECONDS
        if number == 0:
            return watching(until)
        done: Counter[str] = Counter()
        while time.monotonic() < until:
            act = partial(random.choice(acts), customers)
            if random.random() < 0.1:
                act = partial(undone, act)
            retrying(partial(_atomically, act))
            done["posted"] += 1
        return done

    outcomes = storm(work, processes=POSTERS + 1)
    assert set(outcomes) == {"runs", "posted"}, outcomes
    assert outcomes["runs"] > 5
    assert outcomes["posted"] > 100
    assert watch(actor=ACTOR) == []
    assert watch(actor=ACTOR, sweep=True) == []
    assert not InvariantAlarm.objects.exists()
    assert verify().books_hold


def _atomically(act: Callable[[], object]) -> None:
    with transaction.atomic():
        act()


def test_no_sale_under_way_looks_wrong(real_commits: Any) -> None:
    cast = assemble()
    stories = [an_open_deal(cast) for _ in range(6 * POSTERS)]
    payments = [a_payment(cast, deal, kes("100.00")) for deal in stories]
    assert watch(actor=ACTOR) == []

    def work(number: int) -> Counter[str]:
        if number == 0:
            return watching(time.monotonic() + SECONDS)
        done: Counter[str] = Counter()
        mine = list(zip(stories, payments, strict=True))[number - 1 :: POSTERS]
        for deal, payment in mine:
            win = DealWin(deal_id=deal.pk, closed_on=date(2026, 3, random.randint(11, 28)))
            acts: list[Callable[[], object]] = [
                partial(win_deals, actor=cast.actor("olga"), wins=[win]),
                partial(verify_payment, actor=cast.actor("vera"), payment_id=payment.pk),
            ]
            random.shuffle(acts)
            for act in acts:
                retrying(partial(_atomically, act))
                done["sold"] += 1
        return done

    outcomes = storm(work, processes=POSTERS + 1)
    assert set(outcomes) == {"runs", "sold"}, outcomes
    assert outcomes["sold"] == 2 * len(stories)
    assert watch(actor=ACTOR, sweep=True) == []
    assert not InvariantAlarm.objects.exists()
    assert InvariantCheck.objects.filter(checked_at__isnull=False).count() >= 8
