"""The janitor where somebody has stopped something: the books, or the whole organization."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from tenant_apps.ledger.models import Stop
from tenant_apps.ledger.services import start_postings, stop_postings
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import providers, services, tasks
from tenant_apps.wallets.models import ChargeSale
from tenant_apps.wallets.providers import ChargeOrder, TimedOut
from tenant_apps.wallets.services import delivering
from tenants.context import current_organization, platform_context
from tenants.models import OrganizationState
from tenants.services import set_state
from tests.wallets.stories import Market, a_sale, credit, deliver, sell


def janitor(market: Market, *, minutes: int) -> int:
    with clock.frozen(clock.now() + timedelta(minutes=minutes)):
        return services.settle_due(actor=market.system)


def state(sale: ChargeSale) -> str:
    return ChargeSale.objects.get(pk=sale.pk).state


def stop_books() -> None:
    stop_postings(alarm_id=uuid4(), invariant="ledger.test", actor=system_actor("test"))


def start_books() -> None:
    start_postings(actor=system_actor("test"), reason="Put right.")
    assert not Stop.objects.exists()


class StopsTheBooks:
    """A provider during whose call the books stop; afterwards it is the simulated one."""

    def __init__(self, provider: Any) -> None:
        self.provider = provider

    def charge(self, order: ChargeOrder) -> Any:
        answer = self.provider.charge(order)
        stop_books()
        return answer

    def status(self, reference: Any) -> Any:
        return self.provider.status(reference)


@pytest.mark.parametrize(
    ("faults", "end", "balance"), [({}, "sold", "70.00"), ({"refused": 100}, "failed", "100.00")]
)
def test_books_that_stop_during_a_charge_take_it_in_once_when_they_go_on(
    market: Market,
    simulated: Any,
    monkeypatch: pytest.MonkeyPatch,
    faults: dict[str, int],
    end: str,
    balance: str,
) -> None:
    provider = simulated(**faults)
    stopping = StopsTheBooks(provider)
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    monkeypatch.setattr(providers, "configured", lambda: stopping)
    # No error: what was placed stands, and its end is still to come.
    assert deliver(market, sale).state == "sent"
    assert market.wallet("sita").held.to_string() == "30.00"

    assert janitor(market, minutes=2) == 1
    assert state(sale) == "sent"

    start_books()
    for minutes in (30, 60, 90):
        janitor(market, minutes=minutes)
    assert state(sale) == end
    assert market.balance("sita") == balance
    assert market.wallet("sita").held.to_string() == "0.00"
    assert [charge["arrivals"] for charge in provider.charges()] == [1]
    assert verify().books_hold


def test_a_seller_is_answered_although_the_books_stop_during_the_charge(
    market: Market, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = StopsTheBooks(simulated())
    credit(market, "100.00")
    monkeypatch.setattr(providers, "configured", lambda: stopping)
    body = {
        "wallet": str(market.wallets["sita"].pk),
        "phone": "+254712345678",
        "amount": {"amount": "30.00", "currency": "KES"},
    }
    answer = market.api("sita").post("charge-sales/", body)
    assert (answer.status_code, answer.json()["state"]) == (201, "sent")


def test_one_sale_that_cannot_be_settled_keeps_no_other_waiting(
    market: Market, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated(lost_answers=100)
    credit(market, "100.00")
    first, second, third = (sell(market, "10.00") for _ in range(3))
    settle = delivering._settle

    def fail_for_the_first(sale_id: Any, *args: Any, **options: Any) -> Any:
        if sale_id == first.pk:
            raise RuntimeError("an adapter's, or ours")
        return settle(sale_id, *args, **options)

    monkeypatch.setattr(delivering, "_settle", fail_for_the_first)
    assert janitor(market, minutes=30) == 2
    assert [state(sale) for sale in (first, second, third)] == ["unknown", "sold", "sold"]
    monkeypatch.undo()
    janitor(market, minutes=90)
    assert state(first) == "sold"


@contextmanager
def suspended() -> Iterator[None]:
    organization = current_organization()
    former = organization.state
    for new in (OrganizationState.SUSPENDED, former):
        with platform_context(reason="test"):
            set_state(organization_id=organization.id, state=new)
        organization.state = new
        connection.set_tenant(organization)
        if new == OrganizationState.SUSPENDED:
            yield


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tasks that are sent run at once, as a worker runs them."""
    ran: list[str] = []

    def run(task: Any) -> Any:
        def apply_async(*_: Any, **__: Any) -> None:
            ran.append(task.name.rpartition(".")[2])
            header = {"kontor_organization": str(current_organization().id)}
            task.apply(headers=header, throw=True)

        return apply_async

    for task in (tasks.settle_due, tasks.work_on_batch):
        monkeypatch.setattr(task, "apply_async", run(task))
    return ran


def test_sales_of_a_suspended_organization_are_still_asked_about(
    market: Market, simulated: Any, inline: list[str]
) -> None:
    provider = simulated(lost_answers=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert sale.state == "unknown"
    with suspended(), clock.frozen(clock.now() + timedelta(minutes=30)):
        tasks.poll.apply(throw=True)
    assert inline == ["settle_due"]
    assert state(sale) == "sold"
    assert market.balance("sita") == "70.00"
    assert [charge["arrivals"] for charge in provider.charges()] == [1]


def test_nothing_is_sent_for_a_suspended_organization(market: Market, simulated: Any) -> None:
    provider = simulated(lost_requests=100)
    credit(market, "100.00")
    lost, unsent, old = sell(market, "10.00"), a_sale(market, "10.00"), a_sale(market, "10.00")
    ChargeSale.objects.filter(pk=old.pk).update(created_at=clock.now() - timedelta(minutes=14))
    with suspended():
        janitor(market, minutes=2)
    # What was never sent and whose customer has gone fails; it gives the credit back.
    assert [state(sale) for sale in (lost, unsent, old)] == ["unknown", "held", "failed"]
    assert provider.charges() == []
    for minutes in (10, 40, 90):
        janitor(market, minutes=minutes)
    assert [state(sale) for sale in (lost, unsent)] == ["sold", "sold"]


def test_a_time_out_in_a_suspended_organization_leaves_a_sale_unknown(
    market: Market, simulated: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated(lost_answers=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")

    class Silent:
        def status(self, reference: Any) -> Any:
            raise TimedOut

    monkeypatch.setattr(providers, "configured", Silent)
    with suspended():
        janitor(market, minutes=30)
    assert state(sale) == "unknown"


def test_batches_of_a_suspended_organization_wait(
    market: Market, simulated: Any, inline: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "running_batches", lambda: [uuid4()])
    with suspended():
        tasks._call_where_due()
    assert inline == []
