"""Rate limits: counted in the cache, told in every answer."""

import secrets
import time
from types import SimpleNamespace
from typing import Any

import pytest
import redis.exceptions
from django.core.exceptions import ImproperlyConfigured

from shared_apps.kernel.api import counters
from shared_apps.kernel.api.requests import client_address, user_agent
from shared_apps.kernel.api.throttling import RateLimit, parse_rate
from shared_apps.kernel.errors import DependencyDown
from tests.kernel.conftest import Api
from tests.kernel.exhibits import ThingViewSet

PATH = "things/1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e/"


class Narrow(RateLimit):
    name = "narrow"
    rate = "3/hour"


class Narrower(RateLimit):
    name = "narrower"
    rate = "2/day"


@pytest.fixture(autouse=True)
def _clean_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test counts in a time of its own."""
    day = secrets.randbelow(10**6) * 86_400.0
    monkeypatch.setattr(time, "time", lambda: day)


def limited_by(monkeypatch: pytest.MonkeyPatch, *limits: type[RateLimit]) -> None:
    monkeypatch.setattr(ThingViewSet, "throttle_classes", limits)


def test_counts_down_and_then_refuses(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limited_by(monkeypatch, Narrow)
    left = [api.get(PATH)["RateLimit"].split(";")[1] for _ in range(3)]
    assert left == ["r=2", "r=1", "r=0"]
    refused = api.get(PATH)
    assert refused.status_code == 429
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert refused["RateLimit-Policy"] == '"narrow";q=3;w=3600'


def test_tells_all_limits_and_waits_for_the_longest(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited_by(monkeypatch, Narrow, Narrower)
    for _ in range(3):
        answer = api.get(PATH)
    assert answer.status_code == 429
    assert answer["RateLimit-Policy"] == '"narrow";q=3;w=3600, "narrower";q=2;w=86400'


def test_a_new_window_begins_anew(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limited_by(monkeypatch, Narrow)
    for _ in range(4):
        answer = api.get(PATH)
    assert answer.status_code == 429
    later = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: later)
    assert api.get(PATH).status_code == 200


def test_counts_callers_apart(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limited_by(monkeypatch, Narrow)
    for _ in range(4):
        api.get(PATH, REMOTE_ADDR="192.0.2.1")
    assert api.get(PATH, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert api.get(PATH, REMOTE_ADDR="192.0.2.2").status_code == 200


def test_an_invented_forwarding_changes_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limited_by(monkeypatch, Narrow)
    for number in range(5):
        answer = api.get(PATH, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert answer.status_code == 429


@pytest.mark.parametrize("path", ["things/?bogus=1", PATH + "refusal/", "nothing/"])
def test_stands_in_refusals_too(api: Api, path: str) -> None:
    assert "RateLimit" in api.get(path)


def test_addresses_that_do_not_exist_are_counted_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "rate", "2/minute")
    assert [api.get("nothing/").status_code for _ in range(3)] == [404, 404, 429]


def test_counts_failed_sign_ins(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def authenticate(self, request: Any) -> None:
            from rest_framework.exceptions import AuthenticationFailed

            raise AuthenticationFailed

        def authenticate_header(self, request: Any) -> str:
            return "Bearer"

    limited_by(monkeypatch, Narrow)
    monkeypatch.setattr(ThingViewSet, "authentication_classes", (Refusing,))
    answers = [api.get(PATH) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert answers[0]["RateLimit"].startswith('"narrow";r=2')
    assert answers[0]["WWW-Authenticate"].startswith("Bearer")


def test_without_the_cache_everybody_passes(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limited_by(monkeypatch, Narrow)
    _break_cache(monkeypatch)
    answers = [api.get(PATH) for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}


def test_a_silent_redis_is_asked_once_in_a_while(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(counters, "_ask_again_at", 0.0)
    monkeypatch.setattr(counters, "cache", SimpleNamespace(make_key=str))
    messages = []
    for _ in range(2):
        with pytest.raises(redis.exceptions.ConnectionError) as broken:
            counters.count("key", seconds=1)
        messages.append(str(broken.value))
    assert messages[0] != messages[1] == "Redis did not answer a moment ago."


def test_what_guards_secrets_closes_without_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    class Guard(Narrow):
        open_when_blind = False

    _break_cache(monkeypatch)
    request = SimpleNamespace(META={"REMOTE_ADDR": "192.0.2.1"})
    with pytest.raises(DependencyDown):
        Guard().allow_request(request, None)


def test_takes_its_rate_from_the_settings(api: Api, settings: Any, monkeypatch: Any) -> None:
    settings.API_RATE_LIMITS = {"narrow": "1/minute"}
    limited_by(monkeypatch, Narrow)
    assert [api.get(PATH).status_code for _ in range(2)] == [200, 429]


@pytest.mark.parametrize("rate", ["", "10", "10/fortnight", "0/minute", "-1/minute", "x/minute"])
def test_refuses_a_rate_that_is_none(rate: str) -> None:
    with pytest.raises(ImproperlyConfigured):
        parse_rate(rate)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        (3, "203.0.113.9", "203.0.113.9"),
        (1, "not an address", "192.0.2.1"),
    ],
)
def test_knows_the_address_behind_trusted_proxies(
    settings: Any, proxies: int, forwarded: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    meta = {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert client_address(SimpleNamespace(META=meta)) == expected


def test_cuts_what_a_client_calls_itself() -> None:
    agent = user_agent(SimpleNamespace(META={"HTTP_USER_AGENT": "a\r\nb\x00" + "x" * 1000}))
    assert agent.startswith("abx")
    assert len(agent) <= 300


def _break_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise redis.exceptions.ConnectionError

    monkeypatch.setattr(counters, "count", broken)
