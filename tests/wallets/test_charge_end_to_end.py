"""Kontor and a provider as two servers that call each other over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application

from scripts.simulated_provider import send
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets.models import ChargeSale, ProviderCallback
from tenants.context import organization_id
from tests.wallets.over_http import provider_over_http
from tests.wallets.stories import Market, credit, open_market, sell

SECONDS = 20.0


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def kontor() -> Iterator[int]:
    """The product behind a socket, on the test's own database; answers its port."""
    server = ThreadedWSGIServer(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def market(real_commits: Any) -> Market:
    market = open_market()
    credit(market, "100.00")
    return market


def settled(sale: ChargeSale) -> ChargeSale:
    until = time.monotonic() + SECONDS
    while not sale.is_settled and time.monotonic() < until:
        time.sleep(0.05)
        sale.refresh_from_db()
    return sale


@pytest.mark.parametrize("fault", ["late", "lost_answers", "doubled"])
def test_what_came_late_is_told_and_counts_once(
    market: Market, settings: Any, tmp_path: Path, fault: str
) -> None:
    """Nobody asks: the janitor does not come by in this test."""
    with kontor() as port, provider_over_http(settings, tmp_path, **{fault: 100}) as provider:
        settings.PUBLIC_PORT = str(port)
        sale = settled(sell(market, "30.00"))
        wanted = 2 if fault == "doubled" else 1
        until = time.monotonic() + SECONDS
        while len(provider.told) < wanted and time.monotonic() < until:
            time.sleep(0.05)
        statuses = [status for _, status in provider.told]
    assert sale.state == "sold"
    assert statuses == [204] * wanted
    assert market.balance("sita") == "70.00"
    assert ProviderCallback.objects.count() == 1
    assert verify().books_hold


def test_many_at_once_count_once(market: Market, settings: Any, tmp_path: Path) -> None:
    with (
        kontor() as port,
        provider_over_http(settings, tmp_path, callback_seconds=600, lost_answers=100) as provider,
    ):
        settings.PUBLIC_PORT = str(port)
        sale = sell(market, "30.00")
        assert sale.state == "unknown"
        answer = provider.simulator.status(sale.charge_reference)
        order = {
            "organization": str(organization_id()),
            "reference": str(sale.charge_reference),
            "callback_url": f"http://acme.kontor.test:{port}/api/v1/charge-callbacks/",
        }
        same, other = provider.callback(order, answer), provider.callback(order, answer)
        found: list[int] = []
        threads = [
            threading.Thread(
                target=lambda message: found.append(send(message, secret=provider.secret)),
                args=[message],
            )
            for message in [same, other] * 8
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [204] * 16
    assert ChargeSale.objects.get(pk=sale.pk).state == "sold"
    assert market.balance("sita") == "70.00"
    assert ProviderCallback.objects.count() == 2
    assert verify().books_hold
