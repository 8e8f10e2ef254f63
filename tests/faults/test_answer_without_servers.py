"""What the API says when the database or Redis is gone: 503 and when to come back, never a 500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import caches
from django.db import connection
from django.test import Client

from shared_apps.kernel.api import counters
from tenants import routing_cache
from tests.people import client_of, make_person

NOWHERE = "1"


@pytest.fixture
def caller(real_commits: Any) -> Any:
    return client_of(make_person("Ada Admin", role="admin"))


@pytest.fixture
def without_database(caller: Any) -> Iterator[None]:
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = NOWHERE
    yield
    connection.close()
    connection.settings_dict["PORT"] = port


@pytest.fixture
def without_redis(caller: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    nowhere = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(django_settings, "REDIS_URL", nowhere)
    monkeypatch.setattr(counters, "_ask_again_at", 0.0)
    for name in ("default", "routing"):
        cache: Any = caches[name]
        monkeypatch.setattr(cache, "_servers", [nowhere])
        # The client is made once and kept; without it the next call makes one for nowhere.
        cache.__dict__.pop("_cache", None)
    yield
    for name in ("default", "routing"):
        caches[name].__dict__.pop("_cache", None)


def assert_says_when_to_come_back(answer: Any) -> None:
    assert answer.status_code == 503, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert int(answer["Retry-After"]) >= 1
    assert answer.json()["code"] == "dependency_down"


@pytest.mark.parametrize("path", ["/api/v1/deals/", "/api/v1/me/permissions/"])
def test_a_view_says_that_the_database_is_gone(
    caller: Any, without_database: None, path: str
) -> None:
    assert_says_when_to_come_back(caller.get(path))


def test_the_routing_says_that_the_database_is_gone(without_database: None) -> None:
    routing_cache.forget("acme.kontor.test")
    client = Client(HTTP_HOST="acme.kontor.test", raise_request_exception=False)
    assert_says_when_to_come_back(client.get("/api/v1/deals/"))


def test_it_is_served_again_when_the_database_is_back(caller: Any) -> None:
    port = connection.settings_dict["PORT"]
    connection.close()
    connection.settings_dict["PORT"] = NOWHERE
    assert caller.get("/api/v1/deals/").status_code == 503
    connection.settings_dict["PORT"] = port
    assert caller.get("/api/v1/deals/").status_code == 200


def test_reading_goes_on_without_redis(caller: Any, without_redis: None) -> None:
    answer = caller.get("/api/v1/deals/")
    assert answer.status_code == 200, answer.content
