"""Many hands on one client's credit at the same moment, with real commits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from shared_apps.access.actors import system_actor
from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, record_deals, win_deals
from tenant_apps.invoices.models import Invoice
from tenant_apps.ledger.models import CreditLine, CreditLineEntry
from tenant_apps.ledger.verification import verify
from tenant_apps.limits.models import LimitOverride, Overrun
from tenant_apps.limits.services import apply_due_limits
from tenant_apps.limits.verification import differences
from tenant_apps.parties.models import Party
from tenant_apps.payments.services import verify_payment
from tests.cast import Cast, assemble
from tests.deals.stories import a_client, kes, new_deal
from tests.limits.stories import a_limit, a_limited_client, an_override, used
from tests.payments.stories import a_payment
from tests.storms import PROCESSES, at_once, attempt, storm

pytestmark = pytest.mark.slow


@pytest.fixture
def storm_cast(real_commits: Any) -> Cast:
    return assemble()


def deals_of(cast: Cast, client: Party, amounts: list[str]) -> list[Deal]:
    return record_deals(
        actor=cast.system,
        deals=[new_deal(cast, client_id=client.pk, value=kes(amount)) for amount in amounts],
    )


def win(cast: Cast, deal: Deal) -> None:
    win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)])


def assert_all_holds() -> None:
    assert differences() == []
    assert verify().books_hold


def _attempt(deal_id: UUID) -> str:
    wins = [DealWin(deal_id=deal_id)]
    return attempt(lambda: win_deals(actor=system_actor("storm"), wins=wins))


def test_sixteen_processes_never_pass_a_limit(storm_cast: Cast) -> None:
    client = a_limited_client(storm_cast, "1000.00")
    deals = deals_of(storm_cast, client, ["50.00"] * 3 * PROCESSES)
    ids = [deal.pk for deal in deals]

    ends = storm(lambda number: Counter(_attempt(id) for id in ids[number::PROCESSES]))

    assert ends == {"done": 20, "credit_limit_exceeded": 28}
    assert used(client) == kes("1000.00")
    assert Invoice.objects.count() == 20
    assert CreditLineEntry.objects.filter(used_minor__gt=100000).count() == 0
    assert_all_holds()


def test_a_first_limit_amid_invoices_misses_none(real_commits: Any, storm_cast: Cast) -> None:
    for turn in range(6):
        client = a_client(storm_cast)
        # In the first half the client has no account yet.
        if turn >= 3:
            win(storm_cast, deals_of(storm_cast, client, ["1.00"])[0])
        deals = deals_of(storm_cast, client, ["10.00"] * 6)
        acts: list[Callable[[], Any]] = [partial(win, storm_cast, deal) for deal in deals]
        acts.insert(3, partial(a_limit, storm_cast, client, "1000.00"))
        ends = at_once(real_commits, acts)
        assert ends == {"done": 7}
        assert used(client) == kes("61.00" if turn >= 3 else "60.00")
    assert_all_holds()


def test_two_first_limits_at_once_count_once(real_commits: Any, storm_cast: Cast) -> None:
    client = a_client(storm_cast)
    win(storm_cast, deals_of(storm_cast, client, ["10.00"])[0])
    acts: list[Callable[[], Any]] = [
        partial(a_limit, storm_cast, client, f"{amount}.00") for amount in range(100, 108)
    ]
    assert at_once(real_commits, acts) == {"done": 8}
    assert CreditLine.objects.count() == 1
    assert used(client) == kes("10.00")
    assert_all_holds()


def test_a_limit_is_lowered_while_invoices_are_issued(real_commits: Any, storm_cast: Cast) -> None:
    for _ in range(4):
        client = a_limited_client(storm_cast, "1000.00")
        deals = deals_of(storm_cast, client, ["100.00"] * 7)
        acts: list[Callable[[], Any]] = [partial(win, storm_cast, deal) for deal in deals]
        acts.insert(3, partial(a_limit, storm_cast, client, "300.00"))
        ends = at_once(real_commits, acts)
        assert set(ends) <= {"done", "credit_limit_exceeded"}
        # Whatever was issued before stands; nothing above the lower limit came after it.
        entries = CreditLineEntry.objects.filter(line__subject_id=client.pk).order_by("version")
        limit = None
        for entry in entries:
            if entry.used_change > 0 and limit is not None:
                assert entry.used_minor <= limit
            limit = entry.limit_minor
        assert used(client).minor == 10000 * (ends["done"] - 1)
    assert_all_holds()


def test_an_override_is_used_once_by_two_at_once(real_commits: Any, storm_cast: Cast) -> None:
    for _ in range(6):
        client = a_limited_client(storm_cast, "100.00")
        override = an_override(storm_cast, client, "300.00")
        deals = deals_of(storm_cast, client, ["150.00"] * 2)
        ends = at_once(real_commits, [partial(win, storm_cast, deal) for deal in deals])
        assert ends == {"done": 1, "credit_limit_exceeded": 1}
        override.refresh_from_db()
        assert override.state == "used"
        assert Overrun.objects.filter(override=override).count() == 1
        assert used(client) == kes("150.00")
    assert_all_holds()


def test_everything_at_once(real_commits: Any, storm_cast: Cast) -> None:
    dice = random.Random(7)
    clients = [a_limited_client(storm_cast, "500.00") for _ in range(3)]
    for _ in range(5):
        acts: list[Callable[[], Any]] = [partial(apply_due_limits, actor=system_actor("limits"))]
        for client in clients:
            amounts = [f"{dice.randint(1, 300)}.00" for _ in range(3)]
            waiting, *deals = deals_of(storm_cast, client, [*amounts, "120.00"])
            payment = a_payment(storm_cast, waiting, kes("80.00"))
            acts += [partial(win, storm_cast, deal) for deal in (waiting, *deals)]
            acts.append(
                partial(verify_payment, actor=storm_cast.actor("vera"), payment_id=payment.pk)
            )
            acts.append(partial(a_limit, storm_cast, client, f"{dice.randint(100, 900)}.00"))
        dice.shuffle(acts)
        ends = at_once(real_commits, acts)
        assert set(ends) <= {"done", "credit_limit_exceeded"}, ends
        for client in clients:
            used(client)
    assert not LimitOverride.objects.exists()
    assert_all_holds()
