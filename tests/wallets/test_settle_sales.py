"""The janitor: every sale comes to its one true end, whatever was lost on the way."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared_apps.kernel import clock
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import providers, services
from tenant_apps.wallets.models import ChargeSale
from tenant_apps.wallets.providers import ChargeAnswer, ChargeOrder, NeverReached, Outcome, TimedOut
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, a_sale, credit, sell


def later(market: Market, *, minutes: int = 30, times: int = 1) -> None:
    """Let time pass and the janitor come by."""
    for number in range(1, times + 1):
        with clock.frozen(clock.now() + timedelta(minutes=minutes * number)):
            services.settle_due(actor=market.system)


def state(sale: ChargeSale) -> str:
    return ChargeSale.objects.get(pk=sale.pk).state


@pytest.mark.parametrize("fault", ["lost_requests", "lost_answers", "late", "doubled"])
def test_what_was_lost_is_found_and_charged_once(
    market: Market, simulated: Any, fault: str
) -> None:
    provider = simulated(**{fault: 100})
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert sale.state == ("sold" if fault == "doubled" else "unknown")
    later(market, times=4)
    assert state(sale) == "sold"
    assert market.balance("sita") == "70.00"
    assert len(provider.charges()) == 1
    assert verify().books_hold


def test_nobody_is_asked_before_it_is_time(market: Market, simulated: Any) -> None:
    simulated(lost_answers=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert services.settle_due(actor=market.system) == 0
    assert state(sale) == "unknown"


def test_pauses_grow(market: Market, simulated: Any) -> None:
    simulated(late=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    pauses = []
    moment = clock.now()
    for _ in range(2):
        sale.refresh_from_db()
        if sale.next_ask_at is None:
            break
        moment = sale.next_ask_at
        with clock.frozen(moment):
            services.settle_due(actor=market.system)
        sale.refresh_from_db()
        if sale.next_ask_at is not None:
            pauses.append(sale.next_ask_at - moment)
    assert pauses == sorted(pauses)
    assert state(sale) == "sold"


def test_a_sale_left_between_hold_and_call_is_sent(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    later(market, minutes=2)
    assert state(sale) == "sold"
    assert len(provider.charges()) == 1


def test_a_sale_that_nobody_sent_for_long_fails(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    later(market, minutes=16)
    assert state(sale) == "failed"
    assert provider.charges() == []
    assert market.wallet("sita").available.to_string() == "100.00"


@pytest.mark.parametrize("arrived", [False, True])
def test_a_sale_left_during_the_call_is_asked_about(
    market: Market, simulated: Any, arrived: bool
) -> None:
    """The worker died after it had marked the sale as sent, before or after the call arrived."""
    provider = simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    now = clock.now()
    ChargeSale.objects.filter(pk=sale.pk).update(
        state="sent", sent_at=now, next_ask_at=now + timedelta(seconds=60)
    )
    if arrived:
        provider.charge(
            ChargeOrder(
                reference=sale.charge_reference,
                phone=sale.phone,
                operator="savanna",
                amount=sale.amount,
            )
        )
    later(market, minutes=2)
    assert state(sale) == "sold"
    assert [charge["arrivals"] for charge in provider.charges()] == [1]


class Broken:
    """A provider that does what the test says."""

    def __init__(self, on_charge: Exception, on_status: Exception | ChargeAnswer) -> None:
        self.on_charge, self.on_status = on_charge, on_status

    def charge(self, order: ChargeOrder) -> ChargeAnswer:
        raise self.on_charge

    def status(self, reference: UUID) -> ChargeAnswer:
        if isinstance(self.on_status, Exception):
            raise self.on_status
        return self.on_status


def test_a_provider_that_was_never_reached_fails_at_once(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(NeverReached(), TimedOut())
    monkeypatch.setattr(providers, "configured", lambda: broken)
    credit(market, "100.00")
    assert sell(market, "30.00").state == "failed"
    assert market.wallet("sita").available.to_string() == "100.00"


def test_not_reached_later_says_nothing_about_the_first_call(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Broken(TimedOut(), ChargeAnswer(outcome=Outcome.UNHEARD))
    monkeypatch.setattr(providers, "configured", lambda: broken)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    broken.on_charge = NeverReached()
    later(market)
    assert state(sale) == "unknown"


def test_a_call_that_a_crash_cut_off_may_have_arrived(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider is behind with its queue, and cannot be reached when it is told again."""
    broken = Broken(NeverReached(), ChargeAnswer(outcome=Outcome.UNHEARD))
    monkeypatch.setattr(providers, "configured", lambda: broken)
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    ChargeSale.objects.filter(pk=sale.pk).update(
        state="sent", sent_at=clock.now(), next_ask_at=clock.now()
    )
    later(market)
    assert state(sale) == "unknown"
    assert market.wallet("sita").held.to_string() == "30.00"


def test_a_broken_adapter_guesses_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Broken(RuntimeError("half an answer"), RuntimeError("none"))
    monkeypatch.setattr(providers, "configured", lambda: broken)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    later(market, times=3)
    assert state(sale) == "unknown"
    assert market.wallet("sita").held.to_string() == "30.00"


@pytest.mark.parametrize("first", [Outcome.DELIVERED, Outcome.REFUSED])
def test_the_first_final_word_holds(market: Market, simulated: Any, first: Outcome) -> None:
    simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    ChargeSale.objects.filter(pk=sale.pk).update(state="sent", sent_at=clock.now())
    services.settle_sale(sale_id=sale.pk, answer=ChargeAnswer(outcome=first), actor=market.system)
    before = snapshot()
    # That a charge was reversed is no contradiction: tests/wallets/test_refunds.py.
    for outcome in set(Outcome) - {Outcome.REVERSED}:
        services.settle_sale(
            sale_id=sale.pk, answer=ChargeAnswer(outcome=outcome), actor=market.system
        )
    assert changed(before) == []


def test_the_simulator_does_the_same_for_the_same_seed(simulated: Any, tmp_path: Any) -> None:
    one = simulated(refused=30, late=30, seed=5)
    other = simulated(refused=30, late=30, seed=5)
    assert one is other
    references = [UUID(int=number) for number in range(200)]
    lots = [one.lot(reference) for reference in references]
    assert {"refused", "late", "fine"} == set(lots)
    assert lots != [simulated(refused=30, late=30, seed=6).lot(each) for each in references]
