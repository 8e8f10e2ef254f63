"""One client of Redis for each address: also where threads ask for the first time together."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings

from shared_apps.kernel import redis_clients
from shared_apps.kernel.api import counters
from tenants.context import no_tenant_context, platform_context

THREADS = 8


@pytest.fixture(autouse=True)
def _a_process_that_has_just_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_clients, "_clients", {})


def together(act: Callable[[], Any]) -> list[Any]:
    gate = threading.Barrier(THREADS)

    def one(_: int) -> Any:
        gate.wait(10)
        return act()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def a_client() -> redis.Redis:
    return redis_clients.client(settings.REDIS_URL, connect_seconds=1, answer_seconds=1)


def test_threads_that_ask_together_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    real = redis.Redis.from_url

    def slow(*given: Any, **named: Any) -> redis.Redis:
        time.sleep(0.05)
        made: redis.Redis = real(*given, **named)
        return made

    monkeypatch.setattr(redis.Redis, "from_url", slow)
    assert len({id(client) for client in together(a_client)}) == 1


def test_each_address_and_patience_has_its_own() -> None:
    others = [
        redis_clients.client(settings.REDIS_URL, connect_seconds=1, answer_seconds=2),
        redis_clients.client("redis://127.0.0.1:1/0", connect_seconds=1, answer_seconds=1),
    ]
    assert a_client() is a_client()
    assert a_client() not in others


def test_the_first_counts_of_a_process_disturb_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a web process has just started: two made a client each, and the one that was thrown
    away closed the connections that the other's request was counting by: an answer 500."""

    def count() -> int:
        with no_tenant_context(), platform_context(reason="test"):
            return counters.count(key, seconds=60)

    for number in range(20):
        monkeypatch.setattr(redis_clients, "_clients", {})
        key = f"first-counts:{number}:{time.monotonic_ns()}"
        assert sorted(together(count)) == list(range(1, THREADS + 1))
