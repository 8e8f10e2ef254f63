"""Every route that takes money, sent what no friendly client sends: a clear 4xx, no change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from shared_apps.kernel.api.throttling import RateLimit
from tenants.connections import connection
from tenants.context import tenant_context
from tests.access.matrix_world import World
from tests.attacks.document import HOSTS, document_of, resolved, spelled
from tests.people import client_of
from tests.snapshots import changed, snapshot

# Who is let in where; the others are the matrix's business.
CALLERS = {
    ("POST", "payments/"): "owner",
    ("PATCH", "payments/<uuid:pk>/"): "owner",
    ("POST", "payments/<uuid:pk>/verification/"): "verifier",
    ("POST", "approvals/<uuid:pk>/signature/"): "verifier",
    ("POST", "deals/"): "owner",
    ("PATCH", "deals/<uuid:pk>/"): "owner",
    ("POST", "deals/<uuid:deal_id>/stage-changes/"): "owner",
    ("POST", "products/"): "admin",
    ("PATCH", "products/<uuid:pk>/"): "admin",
    ("POST", "ledger/journals/"): "admin",
    ("POST", "ledger/journals/<uuid:pk>/reversal/"): "admin",
    ("POST", "ledger/opening-balances/"): "admin",
    ("POST", "ledger/currency-exchanges/"): "admin",
    ("POST", "clients/<uuid:client_id>/credit-limits/"): "supervisor",
    ("POST", "credit-limit-overrides/"): "owner",
    ("POST", "commission-plans/"): "admin",
    ("PATCH", "wallets/<uuid:pk>/"): "wallet_admin",
    ("POST", "deposit-requests/"): "seller",
    ("POST", "deposit-requests/<uuid:pk>/approval/"): "wallet_admin",
    ("POST", "wallet-transfers/"): "seller",
    ("POST", "charge-sales/"): "seller",
    ("POST", "charge-refunds/"): "wallet_admin",
    ("POST", "charge-refunds/<uuid:pk>/approval/"): "wallet_admin",
}
# Files, not JSON: what is wrong with their rows is tried where batches are (tests/wallets).
UPLOADED = {("POST", "charge-batches/")}
# Prices and opening balances may be in any currency; what an account held may lie below zero.
ANY_CURRENCY = {
    "deals/",
    "products/",
    "products/<uuid:pk>/",
    "ledger/opening-balances/",
    "ledger/currency-exchanges/",
}
BELOW_ZERO = {"ledger/opening-balances/"}
# The bodies of the matrix, with the money that they leave out.
TEN = {"amount": "10.00", "currency": "KES"}
FULLER: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "payments/<uuid:pk>/"): {"amount": TEN, "paid_on": "2026-03-10"},
    ("PATCH", "deals/<uuid:pk>/"): {"value": TEN, "expected_close_on": "2026-03-10"},
    ("PATCH", "products/<uuid:pk>/"): {"list_price": TEN},
    ("POST", "deals/"): {"staged_on": "2026-03-10", "expected_close_on": "2026-03-10"},
    ("POST", "deals/<uuid:deal_id>/stage-changes/"): {"value": TEN},
    ("PATCH", "wallets/<uuid:pk>/"): {"sale_limit": TEN, "daily_limit": TEN, "low_balance": TEN},
}

AMOUNTS: tuple[Any, ...] = (
    "-10.00", "-0.01", "10.001", "10.0", "10", "1e3", "1E+3", "NaN", "Infinity", "-Infinity", "",
    " 10.00", "10.00 ", "+10.00", "1,000.00", "0x10", "\u0663.\u0660\u0660", "10.00\u0000",
    "½", "--1.00",
    "92233720368547758.08", "9" * 40 + ".00", "9" * 5000, 10, 10.0, True, None, [], {}, ["10.00"],
)  # fmt: skip
CURRENCIES: tuple[Any, ...] = ("USD", "ZZZ", "kes", "KE", "KESS", "", "K€S", 404, None, ["KES"])
MONIES: tuple[Any, ...] = (
    "10.00", 10, [], ["10.00", "KES"], {}, {"amount": "10.00"}, {"currency": "KES"}, True,
    {**TEN, "surprise": 1}, {**TEN, "amount": {"amount": "10.00"}},
)  # fmt: skip
DATES: tuple[Any, ...] = (
    "9999-12-31", "0001-01-01", "10000-01-01", "0000-01-01", "2026-02-30", "2026-13-01",
    "-2026-01-01", "2026-03-10T00:00:00Z", "10.03.2026", "", 20260310, True, ["2026-03-10"],
    "now",
)  # fmt: skip
IDS: tuple[Any, ...] = (
    str(uuid4()), "x", "", 1, 2**80, True, [], {}, "' OR 1=1 --",
    "00000000-0000-0000-0000-000000000000",
)  # fmt: skip
BROKEN: tuple[tuple[bytes, str], ...] = (
    (b"", "application/json"),
    (b"{", "application/json"),
    (b"\xff\xfe\x00", "application/json"),
    (b'{"amount": "\xc3\x28"}', "application/json"),
    (b'{"note": "a\\u0000b"}', "application/json"),
    (b'{"note": "a\x00b"}', "application/json"),
    (b'{"note": "\\ud800"}', "application/json"),
    (b'{"a": 1, "a": 2}', "application/json"),
    (b'{"amount": NaN}', "application/json"),
    (b'{"amount": 1e999}', "application/json"),
    (b'{"amount": ' + b"9" * 6000 + b"}", "application/json"),
    (b"[" * 100_000 + b"]" * 100_000, "application/json"),
    (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "application/json"),
    (b'{"note": "' + b"x" * 3_000_000 + b'"}', "application/json"),
    (b"[]", "application/json"),
    (b"null", "application/json"),
    (b'"x"', "application/json"),
    (b"<payment/>", "application/xml"),
    (b"amount=10.00", "application/x-www-form-urlencoded"),
    (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    (b"{}", "text/plain"),
    ("{}".encode("utf-16"), "application/json; charset=utf-16"),
    (b"{}", "nonsense"),
)
KEYS = ("", " ", "x" * 256, "a b", "k\u00e9y", "\x00")


def money_routes() -> Iterator[tuple[str, str]]:
    """What demands a key, and what takes an amount or a rate of money, by the document."""
    document = document_of(HOSTS["organization"])
    by_path = {spelled(f"api/v1/{route}"): route for _, route in CALLERS}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            demands = any(
                parameter["name"] == "Idempotency-Key" and parameter.get("required")
                for parameter in operation.get("parameters", [])
            )
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            if demands or "/Money" in _everything_of(document, body.get("schema", {})):
                yield method.upper(), by_path.get(path, path)


def _everything_of(document: Any, schema: Any) -> str:
    text = json.dumps(schema)
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', text)):
        if name != "Money":
            inner = resolved(document, {"$ref": f"#/components/schemas/{name}"})
            text += _everything_of(document, inner)
    return text


def test_every_money_route_is_attacked() -> None:
    found = {(method, path.removeprefix("/api/v1/")) for method, path in money_routes()}
    assert found - CALLERS.keys() == UPLOADED


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Each value of a body with its place; an amount with its currency is one value."""
    if isinstance(body, dict) and set(body) != {"amount", "currency"}:
        for name, inner in body.items():
            yield from places(inner, (*path, name))
    elif isinstance(body, list):
        for number, inner in enumerate(body):
            yield from places(inner, (*path, number))
    else:
        yield path, body


def with_value(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    copy = list(body) if isinstance(body, list) else dict(body)
    copy[path[0]] = with_value(body[path[0]], path[1:], value)
    return copy


def wrong_bodies(route: str, body: Any) -> Iterator[Any]:
    """The body, wrong in one place each time."""
    amounts = AMOUNTS[2:] if route in BELOW_ZERO else AMOUNTS
    currencies = CURRENCIES[1:] if route in ANY_CURRENCY else CURRENCIES
    for path, value in places(body):
        wrong: tuple[Any, ...] = ()
        if isinstance(value, dict):
            wrong = (
                *MONIES,
                *({**TEN, "amount": amount} for amount in amounts),
                *({**TEN, "currency": currency} for currency in currencies),
            )
        elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            wrong = DATES
        elif isinstance(value, str) and re.fullmatch(r"[0-9a-f-]{36}", value):
            wrong = IDS
        elif path[-1] in {"method", "to_stage", "side", "account_code", "percent"}:
            wrong = ("surprise", "", 1, -1, None, [], {}, True, "x" * 5000, "-1.0000", "NaN", 1e400)
        for bad in wrong:
            yield with_value(body, path, bad)
    yield {**body, "surprise": 1}
    yield {**body, "id": str(uuid4())}
    yield {**body, "dry_run": True}


class Hand:
    """Sends to one money route as the person who may use it; what is taken is undone."""

    def __init__(self, world: World, method: str, route: str, organization: Any) -> None:
        self.organization = organization
        self.method = method
        ids = world.ids(f"api/v1/{route}")
        self.path = "/api/v1/" + re.sub(r"<\w+:(\w+)>", lambda found: ids[found[1]], route)
        self.body = {
            **(world.body(method, f"api/v1/{route}") or {}),
            **FULLER.get((method, route), {}),
        }
        person = world.people[CALLERS[(method, route)]]
        token = client_of(person)._credentials["HTTP_AUTHORIZATION"]
        self.client = Client(
            HTTP_HOST="acme.kontor.test", HTTP_AUTHORIZATION=token, raise_request_exception=False
        )
        self.wrong: list[str] = []

    def send(
        self,
        content: bytes,
        kind: str = "application/json",
        *,
        key: str | None = None,
        query: str = "",
    ) -> Any:
        with tenant_context(self.organization):
            before = transaction.savepoint()
        answer = self.client.generic(
            self.method,
            self.path + query,
            content,
            content_type=kind,
            HTTP_IDEMPOTENCY_KEY=str(uuid4()) if key is None else key,
        )
        with tenant_context(self.organization):
            if answer.status_code < 400:
                transaction.savepoint_rollback(before)
            else:
                # What a refusal left behind stays, so that it is found.
                transaction.savepoint_commit(before)
        return answer

    def expect_refusal(self, content: bytes, kind: str = "application/json", **how: Any) -> None:
        answer = self.send(content, kind, **how)
        shown = f"{self.method} {self.path} {how} {kind} {content[:160]!r}"
        if not 400 <= answer.status_code < 500:
            self.wrong.append(f"{answer.status_code} {shown}")
        elif answer["Content-Type"] != "application/problem+json":
            self.wrong.append(f"{answer['Content-Type']} {shown}")
        elif not (answer.json()["code"] and answer.json()["detail"]):
            self.wrong.append(f"without a reason: {answer.json()} {shown}")


@pytest.fixture
def world(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    return World()


def test_wrong_values_are_refused(world: World, tenant: Any) -> None:
    check(world, tenant, values=True)


def test_broken_requests_are_refused(world: World, tenant: Any) -> None:
    check(world, tenant, values=False)


def check(world: World, organization: Any, *, values: bool) -> None:
    wrong: list[str] = []
    for method, route in CALLERS:
        hand = Hand(world, method, route, organization)
        friendly = json.dumps(hand.body).encode()
        # The friendly body is taken, so what is refused is refused for what is wrong with it.
        taken = hand.send(friendly)
        fine = {422} if "reversal" in route else {200, 201}
        assert taken.status_code in fine, (method, route, taken.json())
        connection.set_tenant(organization)
        before = snapshot()
        if values:
            for body in wrong_bodies(route, hand.body):
                hand.expect_refusal(json.dumps(body).encode())
        else:
            for content, kind in BROKEN:
                # No body is an empty one, where all that it may hold may be left out.
                if content or hand.send(b"{}").status_code >= 400:
                    hand.expect_refusal(content, kind)
            for query in ("?surprise=1", "?dry_run=perhaps", "?dry_run=true&dry_run=false"):
                hand.expect_refusal(friendly, query=query)
            for key in KEYS:
                hand.expect_refusal(friendly, key=key)
        connection.set_tenant(organization)
        wrong += hand.wrong
        wrong += [f"{method} {route} changed {table}" for table in changed(before)]
    assert wrong == [], "\n".join(wrong)
