"""No request brings the API down, and every refusal is a problem: as an administrator, who
reaches furthest, over every operation that the API describes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client

from tenants.context import tenant_context
from tests.attacks.hostile import QUERY_VALUES, Operation, operations
from tests.cast import Cast, assemble

MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


class Attacker:
    """Sends raw requests as an administrator and keeps account of every answer that is wrong."""

    def __init__(self, cast: Cast, organization: Any) -> None:
        ada: Any = cast.api("ada")._client
        token = ada._credentials["HTTP_AUTHORIZATION"]
        self.client = Client(
            HTTP_HOST="acme.kontor.test", HTTP_AUTHORIZATION=token, raise_request_exception=False
        )
        self.organization = organization
        self.wrong: list[str] = []
        self.statuses: Counter[int] = Counter()

    def send(self, operation: Operation, url: str, body: bytes = b"") -> None:
        with tenant_context(self.organization):
            before = transaction.savepoint()
        answer = self.client.generic(
            operation.method,
            url,
            body,
            content_type="application/json",
            HTTP_IDEMPOTENCY_KEY=str(uuid4()),
        )
        # Each attack meets the same state, and a broken transaction breaks no later one.
        with tenant_context(self.organization):
            transaction.savepoint_rollback(before)
        self.statuses[answer.status_code] += 1
        fault = fault_of(answer)
        if fault:
            self.wrong.append(f"{operation.method} {url[:150]} {body[:150]!r}: {fault}")


def fault_of(answer: Any) -> str:
    """What is wrong with an answer; empty when nothing is."""
    if answer.status_code >= 500:
        return f"{answer.status_code}"
    if answer.status_code < 400:
        return ""
    if answer["Content-Type"] != "application/problem+json":
        return f"{answer.status_code} as {answer['Content-Type']}"
    problem = json.loads(answer.content)
    missing = MEMBERS - set(problem)
    if missing or problem["status"] != answer.status_code:
        return f"{answer.status_code} without {sorted(missing)}"
    return ""


def described() -> list[Operation]:
    return operations("config.urls_tenant")


@pytest.fixture
def attacker(tenant: Any, settings: Any) -> Iterator[Attacker]:
    settings.API_RATE_LIMITS = {"api": "1000000/minute"}
    attacker = Attacker(assemble(), tenant)
    yield attacker
    # Strangers see little: the attack must have been one from inside.
    assert attacker.statuses[401] < attacker.statuses[400], attacker.statuses
    # One line for each fault, whatever the length of the list.
    assert attacker.wrong == [], "\n".join(attacker.wrong)


@pytest.mark.slow
def test_hostile_query_parameters_are_answered(attacker: Attacker) -> None:
    for operation in described():
        for name in operation.query:
            for value in QUERY_VALUES:
                attacker.send(operation, f"{operation.at()}?{name}={value}", b"{}")


def test_hostile_identifiers_are_answered(attacker: Attacker) -> None:
    for operation in described():
        if "{" not in operation.path:
            continue
        for identifier in ("x", "%00", "%ff", "1", "-", "..", "'", "9" * 400, "null", "%2e%2e%2f"):
            attacker.send(operation, operation.at(identifier), b"{}")


@pytest.mark.slow
def test_hostile_bodies_are_answered(attacker: Attacker) -> None:
    for operation in described():
        if operation.method in ("GET", "HEAD"):
            continue
        for body in operation.bodies():
            attacker.send(operation, operation.at(), json.dumps(body).encode())


def test_broken_bodies_are_answered(attacker: Attacker) -> None:
    broken = (b"{", b"\xff", b'{"a": NaN}', b'{"a":1,"a":2}', b"[" * 50_000, b'{"a": "\\u0000"}')
    for operation in described():
        for body in broken:
            attacker.send(operation, operation.at(), body)
