"""Who is called in the background, and that a platform without news calls nobody."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest

from shared_apps.kernel import clock
from tenant_apps.wallets import services, tasks
from tenant_apps.wallets.models import ChargeBatch, ChargeSale
from tests.wallets.stories import Market, credit, sell


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = []
    for task in (tasks.settle_due, tasks.work_on_batch):
        monkeypatch.setattr(
            task,
            "apply_async",
            lambda args=None, *, name=task.name, **_: made.append((name.rpartition(".")[2], args)),
        )
    return made


def test_nobody_is_called_for_nothing(market: Market, calls: Any) -> None:
    tasks._call_where_due()
    assert calls == []


def test_sales_are_asked_about_when_it_is_time(market: Market, simulated: Any, calls: Any) -> None:
    simulated(lost_answers=100)
    credit(market, "100.00")
    sell(market)
    tasks._call_where_due()
    assert calls == []
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        tasks._call_where_due()
        assert calls == [("settle_due", None)]
        services.settle_due(actor=market.system)
    assert ChargeSale.objects.get().state == "sold"


def test_batches_are_gone_on_with(market: Market, simulated: Any, calls: Any) -> None:
    simulated()
    credit(market, "100.00")
    batch = services.upload_charge_batch(
        actor=market.actor("sita"),
        wallet_id=market.wallets["sita"].pk,
        file=BytesIO(b"phone,amount\n" + b"0712345678,0.01\n" * 3),
    )
    tasks._call_where_due()
    assert calls == [("work_on_batch", [str(batch.pk)])]
    services.work_on_batch(batch_id=batch.pk, actor=market.system)
    assert ChargeBatch.objects.get().state == "done"
    calls.clear()
    tasks._call_where_due()
    assert calls == []
