"""The past is settled while many processes post: nothing that was told changes later."""

import random
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.balances import balances_at
from tenant_apps.ledger.history.instants import settled_until
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.history.statements import Statement
from tenant_apps.ledger.models import Account, LateArrival, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import post
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting
from tests.storms import storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

ROUNDS = 60


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "DEEP", 20)
    monkeypatch.setattr(sizes, "BLOCK", 8)
    monkeypatch.setattr(sizes, "SEGMENT", 16)


@pytest.mark.usefixtures("_small")
def test_what_was_told_while_others_post_stays(actor: Actor) -> None:
    customers = [uuid4() for _ in range(3)]
    with transaction.atomic():
        post(
            postings=[
                posting("payment.received.cash", amount="1.00", party=one) for one in customers
            ],
            actor=actor,
        )
    cash = Account.objects.with_balance().get(code="1000").id
    settle()

    def work(number: int) -> Counter[str]:
        return ask(number) if number < 2 else sell(number)

    def sell(_: int) -> Counter[str]:
        for _ in range(ROUNDS):
            day = clock.now().date() + timedelta(days=random.choice([0, 0, 0, -1, -20, 5]))
            with transaction.atomic():
                post(
                    postings=[
                        posting(
                            "payment.received.cash",
                            amount="1.00",
                            party=random.choice(customers),
                            day=day,
                        )
                        for _ in range(random.randint(1, 4))
                    ],
                    actor=actor,
                )
        return Counter()

    def ask(_: int) -> Counter[str]:
        """Settles, asks about instants of all the past, and at the end asks the same again."""
        seen: Counter[str] = Counter()
        told: list[tuple[dict[str, Any], Any]] = []
        for _ in range(ROUNDS):
            seen["settled"] += settle() is not None
            until = settled_until()
            assert until is not None
            at = until - random.choice([0, 0, 1]) * timedelta(seconds=random.random())
            day = at.date() + timedelta(days=random.choice([-21, -2, 0, 9]))
            when = {"known_at": at, "as_of": random.choice([None, day])}
            told.append((when, tell(cash, when)))
            totals = trial_balance(**when).totals
            seen["uneven"] += sum(not total.difference.is_zero for total in totals)
        seen["changed"] += sum(tell(cash, when) != answer for when, answer in told)
        return seen

    outcomes = storm(work, processes=8)
    assert (outcomes["uneven"], outcomes["changed"]) == (0, 0), outcomes
    assert outcomes["settled"] >= ROUNDS
    assert set(outcomes) <= {"settled", "uneven", "changed"}, outcomes
    settle()
    result = verify()
    assert result.books_hold, result.findings
    # Otherwise it was no storm: some were on their way while the past was settled.
    assert LateArrival.objects.exists()
    (held,) = balances_at(account_ids=[cash], known_at=settled_until()).values()
    assert held == 100 * Transfer.objects.count()


def tell(account_id: UUID, when: dict[str, Any]) -> tuple[int, list[tuple[UUID, int]], list[Any]]:
    page = Statement(
        account_id=account_id,
        currency="KES",
        last_day=when["as_of"],
        known_at=when["known_at"],
    ).page(size=20)
    held = balances_at(account_ids=[account_id], **when).get(account_id, 0)
    assert page.closing.minor == held
    books = trial_balance(**when)
    rows = [(row.code, row.debit.minor, row.credit.minor) for row in books.rows]
    return held, [(line.transfer_id, line.balance_minor) for line in page.lines], rows
