"""Many processes on a few wallets, with a provider that loses things, and workers that are killed.

Whatever happens: nobody's credit is negative, nothing is charged twice or for nothing, every sale
comes to one end, and the rows of each wallet sum to its balance.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest import mock

import pytest
from django.db import connection, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger.models import Hold, StatementLine
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import services
from tenant_apps.wallets.models import ChargeSale, DepositRequest, SaleState, Wallet
from tenant_apps.wallets.providers.simulator import Simulator
from tenant_apps.wallets.services import delivering
from tenant_apps.wallets.statements import history_of, signed
from tests.storms import PROCESSES, storm
from tests.wallets.stories import (
    PHONE,
    Market,
    a_deposit,
    a_sale,
    allow_transfers,
    credit,
    kes,
    open_market,
)

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

FAULTS = {"refused": 10, "lost_requests": 10, "lost_answers": 10, "late": 10, "doubled": 10}


def attempt(act: Callable[[], object]) -> str:
    """What became of one request: "done", or the code of its refusal."""

    def whole() -> None:
        with transaction.atomic():
            act()

    try:
        retrying(whole)
    except DomainError as refusal:
        return refusal.code
    return "done"


def sell_one(market: Market, actor: Any, amount: str, *, of: str = "sita") -> str:
    """Place a sale and call the provider, as a request does."""
    sale_id = uuid7()
    sale = services.NewSale(
        id=sale_id, wallet_id=market.wallets[of].pk, phone=PHONE, amount=kes(amount)
    )
    became = attempt(partial(services.place_charge_sale, actor=actor, sale=sale))
    if became == "done":
        services.deliver_sale(sale_id=sale_id, actor=actor)
    return became


def settle_all(market: Market) -> None:
    """Let the janitor come by until nothing waits, at ever later times."""
    for hours in range(1, 12):
        with clock.frozen(clock.now() + timedelta(hours=hours)):
            while services.settle_due(actor=market.system):
                pass
        if not ChargeSale.objects.unsettled().exists():
            return
    raise AssertionError("a sale has no end")


def all_holds(market: Market, provider: Simulator) -> None:
    """What must be true of every wallet, every sale and the provider's own books."""
    result = verify()
    assert result.books_hold, result.findings
    assert not Hold.objects.open().exists()
    for wallet in Wallet.objects.with_funds().select_related("seller"):
        lines = list(history_of(wallet))
        assert wallet.held_minor == 0
        assert wallet.posted_minor >= 0
        assert all(line.balance_minor >= 0 for line in lines)
        assert sum(signed(line).minor for line in lines) == wallet.posted_minor
    sales = ChargeSale.objects.all()
    sold = {
        str(sale.charge_reference): sale.amount.to_string()
        for sale in sales
        if sale.state == SaleState.SOLD
    }
    charged = {
        charge["reference"]: charge["amount"]
        for charge in provider.charges()
        if charge["outcome"] == "delivered"
    }
    assert sold == charged
    taken = StatementLine.objects.filter(rule="wallet.charged", account__code="2400")
    assert taken.count() == len(sold)
    for wallet in Wallet.objects.exclude(sold_on=None):
        assert wallet.sold_on is not None
        today = sales.filter(wallet=wallet, state=SaleState.SOLD, sold_on=wallet.sold_on)
        assert wallet.sold_minor == sum(sale.amount_minor for sale in today)


def test_a_balance_of_1000_sells_1000_and_no_more(simulated: Any) -> None:
    provider, market = simulated(), open_market()
    credit(market, "1000.00")

    def work(_: int) -> Counter[str]:
        actor = market.actor("sita")
        return Counter(sell_one(market, actor, "1.00") for _ in range(400))

    outcomes = storm(work)
    assert outcomes == {"done": 1000, "not_enough_credit": 400 * PROCESSES - 1000}
    assert ChargeSale.objects.filter(state="sold").count() == 1000
    assert market.balance("sita") == "0.00"
    assert len(provider.charges()) == 1000
    all_holds(market, provider)


def test_a_daily_limit_of_100_sells_100_and_no_more(simulated: Any) -> None:
    provider, market = simulated(refused=20), open_market()
    credit(market, "1000.00")
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"daily_limit": kes("100.00")},
    )

    def work(_: int) -> Counter[str]:
        actor = market.actor("sita")
        return Counter(sell_one(market, actor, "1.00") for _ in range(30))

    outcomes = storm(work)
    assert set(outcomes) == {"done", "daily_limit_exceeded"}
    # What the provider refused gave its part of the limit back, and could be sold again.
    assert ChargeSale.objects.filter(state="sold").count() == 100
    assert market.balance("sita") == "900.00"
    all_holds(market, provider)


def test_deposits_approved_by_many_raise_the_credit_once(simulated: Any) -> None:
    provider, market = simulated(), open_market()
    deposits = [a_deposit(market, "10.00").pk for _ in range(25)]

    def work(number: int) -> Counter[str]:
        actor = market.actor(("wanda", "wim")[number % 2])
        order = random.sample(deposits, len(deposits))
        decide: list[Callable[..., object]] = [
            services.approve_deposit,
            partial(services.deny_deposit, reason="No."),
        ]
        return Counter(
            attempt(partial(decide[number % 4 == 3], actor=actor, deposit_id=deposit_id))
            for deposit_id in order
        )

    outcomes = storm(work)
    assert outcomes == {"done": 25, "deposit_already_decided": 25 * (PROCESSES - 1)}
    approved = DepositRequest.objects.filter(state="approved").count()
    assert Decimal(market.balance("sita")) == 10 * approved
    all_holds(market, provider)


def test_everything_at_once_with_a_provider_that_loses_things(simulated: Any) -> None:
    provider, market = simulated(**FAULTS), open_market()
    allow_transfers(market)
    for name in ("sita", "seth"):
        credit(market, "60.00", of=name)
        services.change_wallet(
            actor=market.actor("wanda"),
            wallet_id=market.wallets[name].pk,
            changes={"low_balance": kes("20.00")},
        )
    deposits = [a_deposit(market, "5.00", of=name).pk for name in ("sita", "seth") * 10]

    def work(number: int) -> Counter[str]:
        mine, other = ("sita", "seth") if number % 2 else ("seth", "sita")
        seller, keeper = market.actor(mine), market.actor("wanda")
        give = services.NewTransfer(
            wallet_id=market.wallets[mine].pk,
            to_seller=market.sellers[other].reference,
            amount=kes("1.50"),
        )
        seen: Counter[str] = Counter()
        for turn in range(30):
            if number == 0:
                with clock.frozen(clock.now() + timedelta(minutes=turn)):
                    services.settle_due(actor=market.system, limit=10)
                continue
            dice = random.random()
            if dice < 0.6:
                became = sell_one(market, seller, "1.00", of=mine)
            elif dice < 0.8:
                became = attempt(partial(services.transfer_credit, actor=seller, transfer=give))
            else:
                became = attempt(
                    partial(
                        services.approve_deposit,
                        actor=keeper,
                        deposit_id=random.choice(deposits),
                    )
                )
            seen[became] += 1
        return seen

    outcomes = storm(work)
    assert set(outcomes) <= {"done", "not_enough_credit", "deposit_already_decided"}, outcomes
    assert outcomes["done"] > 50
    settle_all(market)
    all_holds(market, provider)


def test_two_janitors_settle_each_sale_once(simulated: Any) -> None:
    provider, market = simulated(lost_answers=50, lost_requests=50), open_market()
    credit(market, "60.00")
    actor = market.actor("sita")
    for _ in range(60):
        sell_one(market, actor, "1.00")
    assert ChargeSale.objects.unsettled().count() == 60

    def work(_: int) -> Counter[str]:
        taken = 0
        for hours in range(1, 5):
            with clock.frozen(clock.now() + timedelta(hours=hours)):
                taken += services.settle_due(actor=market.system)
        return Counter(taken=taken)

    storm(work, processes=6)
    settle_all(market)
    assert market.balance("sita") == "0.00"
    assert {charge["arrivals"] for charge in provider.charges()} == {1}
    all_holds(market, provider)


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed(act: Callable[[], object]) -> None:
    """Run it in a process of its own, which does not survive it."""
    connection.close()
    child = multiprocessing.get_context("fork").Process(target=act)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


CRASHES: dict[str, tuple[Any, str]] = {
    "between hold and mark": ((delivering, "deliver_sale"), "held"),
    "between mark and call": ((Simulator, "charge"), "sent"),
    "between call and capture": ((delivering, "_settle_or_leave"), "sent"),
    "in the capture, before its commit": ((delivering, "_posting"), "sent"),
    "in the capture, behind everything": ((delivering, "_sold_and_told"), "sent"),
}


@pytest.mark.parametrize("point", list(CRASHES))
def test_a_worker_killed_leaves_a_sale_that_ends_once(point: str, simulated: Any) -> None:
    provider, market = simulated(), open_market()
    credit(market, "100.00")
    (place, name), left = CRASHES[point]
    sale = a_sale(market, "30.00")

    def work() -> None:
        if name == "_sold_and_told":
            # The last statement before the commit is done; the commit never comes.
            real = delivering._sold

            def sold_and_dead(*given: Any, **named: Any) -> None:
                real(*given, **named)
                die()

            die_after: Any = mock.patch.object(delivering, "_sold", sold_and_dead)
        else:
            die_after = mock.patch.object(place, name, die)
        with die_after:
            delivering.deliver_sale(sale_id=sale.pk, actor=market.system)

    killed(work)
    assert ChargeSale.objects.get(pk=sale.pk).state == left
    assert market.wallet("sita").available.to_string() == "70.00"
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        services.settle_due(actor=market.system)
    assert ChargeSale.objects.get(pk=sale.pk).state == "sold"
    assert market.balance("sita") == "70.00"
    assert len(provider.charges()) == 1
    all_holds(market, provider)


def test_a_janitor_killed_in_its_question_is_followed_by_another(simulated: Any) -> None:
    provider, market = simulated(lost_answers=100), open_market()
    credit(market, "100.00")
    actor = market.actor("sita")
    assert sell_one(market, actor, "30.00") == "done"

    def work() -> None:
        with (
            mock.patch.object(Simulator, "status", die),
            clock.frozen(clock.now() + timedelta(minutes=5)),
        ):
            services.settle_due(actor=market.system)

    killed(work)
    assert ChargeSale.objects.get().state == "unknown"
    settle_all(market)
    assert market.balance("sita") == "70.00"
    all_holds(market, provider)
