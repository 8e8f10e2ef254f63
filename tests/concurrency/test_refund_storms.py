"""Refunds from all sides at once: whoever asks, signs or reverses, a sale goes back once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import OperationalError, transaction

from shared_apps.kernel.errors import DomainError
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import services
from tenant_apps.wallets.models import ChargeRefund, ChargeSale, RefundState, Wallet
from tenant_apps.wallets.providers import ChargeAnswer, Outcome
from tenant_apps.wallets.statements import history_of, signed
from tests.storms import storm
from tests.wallets.stories import Market, credit, kes, open_market, sell

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]

# How many sales are fought over.
SALES = 6


def attempt(act: Callable[[], object]) -> str:
    """What became of one request, which nobody tries again: a deadlock would show."""
    try:
        with transaction.atomic():
            act()
    except DomainError as refusal:
        return refusal.code
    except OperationalError as problem:
        return str(problem)
    return "done"


def reverse(market: Market, sale: ChargeSale) -> None:
    services.settle_sale(
        sale_id=sale.pk, answer=ChargeAnswer(outcome=Outcome.REVERSED), actor=market.system
    )


def ask(market: Market, sale: ChargeSale, name: str) -> None:
    services.request_charge_refund(actor=market.actor(name), sale_id=sale.pk, reason="Wrong.")


def decide(market: Market, sale: ChargeSale, name: str, *, approve: bool) -> None:
    refund = ChargeRefund.objects.filter(sale=sale).order_by("-created_at").first()
    if refund is None:
        return
    actor = market.actor(name)
    if approve:
        services.approve_charge_refund(actor=actor, refund_id=refund.pk)
    else:
        services.deny_charge_refund(actor=actor, refund_id=refund.pk, reason="No.")


def all_holds(market: Market, sales: list[ChargeSale]) -> None:
    result = verify()
    assert result.books_hold, result.findings
    for sale in sales:
        sale.refresh_from_db()
        back = ChargeRefund.objects.filter(sale=sale, state=RefundState.REFUNDED).count()
        reversals = Transfer.objects.of_source(sale.pk).filter(kind="reversal").count()
        assert back == reversals == (1 if sale.refunded_at else 0)
    kept = sum(sale.amount_minor for sale in sales if sale.refunded_at is None)
    wallet = Wallet.objects.with_funds().get(pk=market.wallets["sita"].pk)
    assert wallet.posted_minor == kes("1000.00").minor - kept
    assert wallet.sold_minor == kept
    lines = list(history_of(wallet))
    assert sum(signed(line).minor for line in lines) == wallet.posted_minor
    balance = 0
    for line in reversed(lines):
        balance += signed(line).minor
        assert line.balance_minor == balance


def test_one_sale_goes_back_once(simulated: Any) -> None:
    """Four who sign and four times the provider's word, at the same request."""
    simulated()
    market = open_market()
    credit(market, "1000.00")
    sale = sell(market, "100.00")
    ask(market, sale, "wanda")

    def act(number: int) -> Counter[str]:
        if number % 2:
            return Counter([attempt(partial(reverse, market, sale))])
        return Counter([attempt(partial(decide, market, sale, "wim", approve=True))])

    found = storm(act, processes=8)
    assert set(found) <= {"done", "refund_already_decided"}
    all_holds(market, [sale])
    assert market.balance("sita") == "1000.00"


def test_everything_at_once(simulated: Any) -> None:
    simulated()
    market = open_market()
    credit(market, "1000.00")
    sales = [sell(market, "100.00") for _ in range(SALES)]

    def act(number: int) -> Counter[str]:
        dice = random.Random(number)
        became: Counter[str] = Counter()
        for _ in range(25):
            sale = dice.choice(sales)
            name = dice.choice(["wanda", "wim"])
            acts = [
                partial(reverse, market, sale),
                partial(ask, market, sale, name),
                partial(ask, market, sale, name),
                partial(decide, market, sale, name, approve=True),
                partial(decide, market, sale, name, approve=False),
            ]
            became[attempt(dice.choice(acts))] += 1
        return became

    found = storm(act, processes=8)
    assert set(found) <= {
        "done",
        "refund_already_decided",
        "refund_already_requested",
        "sale_already_refunded",
        "own_refund",
    }
    all_holds(market, sales)
