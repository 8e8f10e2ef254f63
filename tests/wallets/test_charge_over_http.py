"""Charging through a provider over HTTP: what it says counts, and what is not known is asked."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared_apps.kernel import clock
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import errors, providers, services
from tenant_apps.wallets.models import ChargeSale
from tenant_apps.wallets.providers import ChargeOrder, NeverReached, Outcome, TimedOut, Unclear
from tenant_apps.wallets.providers.over_http import HttpProvider
from tenants.context import organization_id
from tests.wallets.over_http import http_answer, provider_over_http, whoever_says
from tests.wallets.stories import PHONE, Market, a_sale, credit, kes, sell

KEY = "kontor:secret"


def later(market: Market, *, times: int = 1) -> None:
    for number in range(1, times + 1):
        with clock.frozen(clock.now() + timedelta(minutes=30 * number)):
            services.settle_due(actor=market.system)


def state(sale: ChargeSale) -> str:
    return ChargeSale.objects.get(pk=sale.pk).state


def an_order(reference: UUID | None = None) -> ChargeOrder:
    return ChargeOrder(
        reference=reference or uuid4(), phone=PHONE, operator="savanna", amount=kes("30.00")
    )


def said(reference: UUID, outcome: str = "delivered", **more: Any) -> str:
    return json.dumps({"reference": str(reference), "outcome": outcome, **more})


def asked(answer: bytes, *, path: str = "/v1", **waits: float) -> Any:
    """What the adapter makes of an answer to a charge; `REF` stands for the reference."""
    order = an_order()

    def say(line: socket.socket, request: bytes) -> None:
        line.sendall(answer.replace(b"REF" + b"." * 33, str(order.reference).encode()))

    query = "&".join(f"{name}={value}" for name, value in waits.items())
    with whoever_says(say) as (port, _):
        return HttpProvider(f"http://127.0.0.1:{port}{path}?{query}", KEY).charge(order)


REF = "REF" + "." * 33


# The whole way, through the project's own simulated provider


def test_a_sale_is_charged_and_captured(market: Market, settings: Any, tmp_path: Path) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path) as provider:
        sale = sell(market, "30.00")
    assert (sale.state, sale.provider_reference) == ("sold", "SIM-00000001")
    assert market.balance("sita") == "70.00"
    (charge,) = provider.simulator.charges()
    assert (charge["reference"], charge["phone"]) == (str(sale.charge_reference), PHONE)
    assert (charge["amount"], charge["currency"]) == ("30.00", "KES")


def test_a_refused_sale_gives_the_credit_back(
    market: Market, settings: Any, tmp_path: Path
) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path, refused=100):
        sale = sell(market, "30.00")
    assert (sale.state, sale.reason) == ("failed", "the operator refused the number")
    assert market.wallet("sita").available.to_string() == "100.00"


@pytest.mark.parametrize("fault", ["lost_requests", "lost_answers", "late", "doubled"])
def test_what_was_lost_is_found_and_charged_once(
    market: Market, settings: Any, tmp_path: Path, fault: str
) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path, callback_seconds=600, **{fault: 100}) as provider:
        sale = sell(market, "30.00")
        assert sale.state == ("sold" if fault == "doubled" else "unknown")
        later(market, times=4)
    assert state(sale) == "sold"
    assert market.balance("sita") == "70.00"
    assert len(provider.simulator.charges()) == 1
    assert verify().books_hold


def test_a_provider_with_pauses_is_waited_for(
    market: Market, settings: Any, tmp_path: Path
) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path, delay=300):
        assert sell(market, "30.00").state == "sold"


def test_a_wrong_key_leaves_the_sale_unknown(market: Market, settings: Any, tmp_path: Path) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path) as provider:
        right = settings.CHARGE_PROVIDER_KEY
        settings.CHARGE_PROVIDER_KEY = "kontor:wrong"
        sale = sell(market, "30.00")
        later(market)
        assert state(sale) == "unknown"
        assert provider.simulator.charges() == []
        settings.CHARGE_PROVIDER_KEY = right
        later(market, times=2)
    assert state(sale) == "sold"


def test_nobody_there_fails_at_once(market: Market, settings: Any, tmp_path: Path) -> None:
    with provider_over_http(settings, tmp_path):
        pass
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert (sale.state, sale.reason) == ("failed", "the provider cannot be reached")
    assert market.wallet("sita").available.to_string() == "100.00"


def test_what_is_sent(market: Market, settings: Any) -> None:
    order = an_order()

    def say(line: socket.socket, request: bytes) -> None:
        line.sendall(http_answer(200, said(order.reference)))

    with whoever_says(say) as (port, requests):
        HttpProvider(f"http://127.0.0.1:{port}/v1", KEY).charge(order)
    head, _, body = requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/charges HTTP/1.1"
    assert f"Idempotency-Key: {order.reference}" in lines
    assert "Authorization: Basic a29udG9yOnNlY3JldA==" in lines
    assert json.loads(body) == {
        "reference": str(order.reference),
        "phone": PHONE,
        "operator": "savanna",
        "amount": {"amount": "30.00", "currency": "KES"},
        "organization": str(organization_id()),
        "callback_url": "http://acme.kontor.test/api/v1/charge-callbacks/",
    }


def test_an_organization_of_its_own_account_uses_it(
    market: Market, settings: Any, tmp_path: Path
) -> None:
    credit(market, "100.00")
    with provider_over_http(settings, tmp_path) as provider:
        settings.CHARGE_ACCOUNTS = {
            str(organization_id()): {
                "url": provider.url,
                "key": provider.key,
                "callback_secrets": (provider.secret,),
            }
        }
        settings.CHARGE_PROVIDER_URL = "http://127.0.0.1:1/v1"
        assert sell(market, "30.00").state == "sold"
        settings.CHARGE_ACCOUNTS[str(organization_id())]["url"] = ""
        with pytest.raises(errors.NoChargeProvider):
            a_sale(market, "30.00")


def test_neither_key_nor_secret_shows(market: Market, settings: Any) -> None:
    settings.CHARGE_PROVIDER_KEY = "kontor:hidden"
    settings.CHARGE_CALLBACK_SECRETS = ("whsec_hidden",)
    assert "hidden" not in repr(providers.registry.account())


# Answers that are none


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(500, "{}"),
        http_answer(503, said(UUID(int=0)).replace(str(UUID(int=0)), REF)),
        http_answer(401, "{}"),
        http_answer(404, said(UUID(int=0), "unheard").replace(str(UUID(int=0)), REF)),
        http_answer(302, said(UUID(int=0)).replace(str(UUID(int=0)), REF), more="Location: /x\r\n"),
        http_answer(200, said(UUID(int=5))),
        http_answer(200, said(UUID(int=0), "fine").replace(str(UUID(int=0)), REF)),
        http_answer(200, said(UUID(int=0), "unheard").replace(str(UUID(int=0)), REF)),
        http_answer(200, said(UUID(int=0), reason=5).replace(str(UUID(int=0)), REF)),
        http_answer(200, said(UUID(int=0), reason="a\u0000b").replace(str(UUID(int=0)), REF)),
        http_answer(200, said(UUID(int=0), reason="x" * 201).replace(str(UUID(int=0)), REF)),
        http_answer(
            200, said(UUID(int=0), provider_reference="x" * 65).replace(str(UUID(int=0)), REF)
        ),
        http_answer(200, said(UUID(int=0), more="x" * 70_000).replace(str(UUID(int=0)), REF)),
        http_answer(200, f'{{"reference": "{REF}", "outcome": "refused", "outcome": "delivered"}}'),
        http_answer(200, "[" * 60_000),
        http_answer(200, b"\xff\xfe"),
        http_answer(200, "null"),
        http_answer(200, ""),
        http_answer(200, "<html>", kind="text/html"),
    ],
)
def test_what_is_not_understood_says_nothing(market: Market, answer: bytes) -> None:
    with pytest.raises(Unclear):
        asked(answer)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 ", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Le"]
)
def test_half_an_answer_is_none(market: Market, answer: bytes) -> None:
    with pytest.raises((TimedOut, Unclear)):
        asked(answer)


def test_members_that_are_not_known_are_left_alone(market: Market) -> None:
    body = said(UUID(int=0), provider_reference="P-1", fee="0.10").replace(str(UUID(int=0)), REF)
    assert asked(http_answer(200, body)).provider_reference == "P-1"


def test_no_redirect_is_followed(market: Market) -> None:
    with whoever_says(lambda line, _: None) as (port, requests):
        away = f"Location: http://127.0.0.1:{port}/v1/charges\r\n"
        with pytest.raises(Unclear):
            asked(http_answer(307, "", more=away))
    assert requests == []


@pytest.mark.parametrize(
    "body", ["<html>", said(UUID(int=0), "unheard"), said(UUID(int=9), "delivered")]
)
def test_a_404_that_is_not_the_providers_own_says_nothing(market: Market, body: str) -> None:
    with whoever_says(lambda line, _: line.sendall(http_answer(404, body))) as (port, _):
        with pytest.raises(Unclear):
            HttpProvider(f"http://127.0.0.1:{port}", KEY).status(UUID(int=9))


def test_a_reference_that_was_never_heard_of(market: Market) -> None:
    answer = http_answer(404, said(UUID(int=9), "unheard"))
    with whoever_says(lambda line, _: line.sendall(answer)) as (port, _):
        found = HttpProvider(f"http://127.0.0.1:{port}", KEY).status(UUID(int=9))
    assert found.outcome == Outcome.UNHEARD


# Time


def drip(line: socket.socket, request: bytes) -> None:
    """A byte now and then: no time-out between two of them ever passes."""
    for byte in http_answer(200, "{}", more="X: " + "y" * 500 + "\r\n"):
        line.sendall(bytes([byte]))
        time.sleep(0.05)


def silence(line: socket.socket, request: bytes) -> None:
    line.settimeout(10)
    line.recv(1)


@pytest.mark.parametrize("behave", [drip, silence])
def test_a_call_ends_in_time(
    market: Market, behave: Callable[[socket.socket, bytes], None]
) -> None:
    started = time.monotonic()
    with whoever_says(behave) as (port, _):
        provider = HttpProvider(f"http://127.0.0.1:{port}?connect=0.2&answer=0.3", KEY)
        with pytest.raises(TimedOut):
            provider.charge(an_order())
    assert time.monotonic() - started < 3


def test_nobody_who_greets_was_never_reached(market: Market) -> None:
    """TLS is asked for and never spoken: nothing of the order has left."""
    with whoever_says(silence) as (port, requests):
        provider = HttpProvider(f"https://127.0.0.1:{port}?connect=0.3&answer=0.3", KEY)
        with pytest.raises(NeverReached):
            provider.charge(an_order())
    assert PHONE.encode() not in b"".join(requests)


# Addresses


@pytest.mark.parametrize(
    "url",
    [
        "http://provider.example/v1",
        "http://10.0.0.1/v1",
        "ftp://127.0.0.1/",
        "https:///v1",
        "https://user:word@provider.example/",
        "https://provider.example/#part",
        "https://provider.example/?answer=21",
        "https://provider.example/?connect=0",
        "https://provider.example/?answer=nan",
        "https://provider.example/?retries=3",
    ],
)
def test_such_an_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        HttpProvider(url, KEY)
