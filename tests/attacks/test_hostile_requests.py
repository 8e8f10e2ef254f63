"""No request brings the API down, and every refusal is a problem: over every operation that the
API describes, each as the person who reaches furthest with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from tenants.context import platform_context, tenant_context
from tests.attacks.hostile import QUERY_VALUES, Operation, operations
from tests.cast import Cast, assemble
from tests.payments import stories

MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}
BROKEN = (b"{", b"\xff", b'{"a": NaN}', b'{"a":1,"a":2}', b"[" * 50_000, b'{"a": "\\u0000"}')


class Attacker:
    """Sends raw requests as one person or another, and keeps account of every wrong answer."""

    def __init__(self, clients: list[Client], place: Callable[[], Any]) -> None:
        self.clients = clients
        self.client = clients[0]
        self.place = place
        self.known: dict[str, str] = {}
        self.wrong: list[str] = []
        self.statuses: Counter[int] = Counter()

    def look_around(self) -> dict[str, str]:
        """An id of each collection, so that attacks reach rows and not only their absence."""
        for operation in described():
            if operation.method == "GET" and "{" not in operation.path:
                answer = self.client.get(operation.path)
                page = answer.json() if answer.status_code == 200 else {}
                rows = page.get("results") if isinstance(page, dict) else page
                if rows and "id" in rows[0]:
                    self.known[operation.path.rstrip("/").rsplit("/", 1)[1]] = rows[0]["id"]
        return self.known

    def send(self, operation: Operation, url: str, body: bytes = b"") -> None:
        answer = self._answer(self.client, operation, url, body)
        self.statuses[answer.status_code] += 1
        fault = fault_of(operation, answer)
        if fault:
            self.wrong.append(f"{operation.method} {url[:150]} {body[:150]!r}: {fault}")

    def become_whoever_may(self, operation: Operation) -> None:
        """Attack as the first person whom the operation does not turn away at the door."""
        body = json.dumps(next(operation.bodies(self.known, wrong=False), {})).encode()
        self.client = self.clients[0]
        for client in self.clients:
            answer = self._answer(client, operation, operation.at(self.known), body)
            if answer.status_code not in (401, 403):
                self.client = client
                return

    def _answer(self, client: Client, operation: Operation, url: str, body: bytes) -> Any:
        with self.place():
            before = transaction.savepoint()
        answer: Any = client.generic(
            operation.method,
            url,
            body,
            content_type="application/json",
            HTTP_IDEMPOTENCY_KEY=str(uuid4()),
        )
        # Each attack meets the same state, and a broken transaction breaks no later one.
        with self.place():
            transaction.savepoint_rollback(before)
        return answer


def client_of(cast: Cast, name: str) -> Client:
    caller: Any = cast.api(name)
    return Client(
        HTTP_HOST="acme.kontor.test",
        HTTP_AUTHORIZATION=caller._client._credentials["HTTP_AUTHORIZATION"],
        raise_request_exception=False,
    )


def fault_of(operation: Operation, answer: Any) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code < 400:
        is_json = answer.get("Content-Type") == "application/json"
        data = json.loads(answer.content) if is_json else None
        return operation.undescribed(answer.status_code, data)
    if answer["Content-Type"] != "application/problem+json":
        return f"{answer.status_code} as {answer['Content-Type']}"
    problem = json.loads(answer.content)
    missing = MEMBERS - set(problem)
    if missing or problem["status"] != answer.status_code:
        return f"{answer.status_code} without {sorted(missing)}"
    return ""


def described() -> list[Operation]:
    return operations("config.urls_tenant")


def tell_a_story(cast: Cast) -> None:
    """Something of everything that the API shows."""
    stories.a_verified_payment(cast, stories.a_won_deal(cast))
    stories.a_payment(cast, stories.a_won_deal(cast))
    stories.an_open_deal(cast)


@pytest.fixture
def attacker(tenant: Any, settings: Any) -> Iterator[Attacker]:
    settings.API_RATE_LIMITS = {"api": "1000000/minute"}
    cast = assemble()
    tell_a_story(cast)
    people = [client_of(cast, name) for name in ("ada", "sam", "vera", "olga")]
    attacker = Attacker(people, lambda: tenant_context(tenant))
    known = attacker.look_around()
    assert {"deals", "payments", "invoices", "clients", "users"} <= set(known)
    yield attacker
    # Strangers see little: the attack must have been one from inside.
    assert attacker.statuses[401] * 4 < attacker.statuses.total(), attacker.statuses
    # One line for each fault, whatever the length of the list.
    assert attacker.wrong == [], "\n".join(attacker.wrong)


@pytest.fixture
def stranger(platform: None, settings: Any) -> Iterator[Attacker]:
    """Somebody at the platform's door, where people sign up."""
    settings.API_RATE_LIMITS = {"api": "1000000/minute", "signup": "1000000/minute"}
    client = Client(HTTP_HOST="kontor.test", raise_request_exception=False)
    attacker = Attacker([client], lambda: platform_context(reason="test"))
    yield attacker
    assert attacker.wrong == [], "\n".join(attacker.wrong)


def test_a_stranger_is_answered_at_the_door(stranger: Attacker) -> None:
    for operation in operations("config.urls_public"):
        for name in (*operation.query, "surprise"):
            for value in QUERY_VALUES:
                stranger.send(operation, f"{operation.at()}?{name}={value}", b"{}")
        for broken in BROKEN:
            stranger.send(operation, operation.at(), broken)
        for body in operation.bodies({}):
            stranger.send(operation, operation.at(), json.dumps(body).encode())


@pytest.mark.slow
def test_hostile_query_parameters_are_answered(attacker: Attacker) -> None:
    for operation in described():
        attacker.become_whoever_may(operation)
        for name in operation.query:
            for value in QUERY_VALUES:
                attacker.send(operation, f"{operation.at(attacker.known)}?{name}={value}", b"{}")


def test_hostile_identifiers_are_answered(attacker: Attacker) -> None:
    for operation in described():
        if "{" not in operation.path:
            continue
        for identifier in ("x", "%00", "%ff", "1", "-", "..", "'", "9" * 400, "null", "%2e%2e%2f"):
            attacker.send(operation, operation.at(identifier=identifier), b"{}")


@pytest.mark.slow
def test_hostile_bodies_are_answered(attacker: Attacker) -> None:
    for operation in described():
        if operation.method in ("GET", "HEAD"):
            continue
        attacker.become_whoever_may(operation)
        for body in operation.bodies(attacker.known):
            attacker.send(operation, operation.at(attacker.known), json.dumps(body).encode())


def test_broken_bodies_are_answered(attacker: Attacker) -> None:
    for operation in described():
        for body in BROKEN:
            attacker.send(operation, operation.at(attacker.known), body)
