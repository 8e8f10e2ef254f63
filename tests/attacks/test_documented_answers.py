"""What each route answers to a friendly request is what the document says of it."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from shared_apps.kernel.api.throttling import RateLimit
from tests.access.matrix_requests import QUERIES, UPLOADS
from tests.access.matrix_world import World
from tests.access.test_matrix import routed
from tests.attacks.document import HOSTS, document_of, fault_of

THE_DOCUMENT = "api/schema/"
# Together they reach every row of the world and may do everything that is done to one.
CALLERS = ("admin", "verifier", "owner", "nobody", "stranger")


def test_answers_are_as_the_document_says(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RateLimit, "allow_request", lambda *_: True)
    document = document_of(HOSTS["organization"])
    world = World()
    wrong: dict[tuple[str, str], str] = {}
    done = set()
    for method, route in sorted(routed()):
        if route == THE_DOCUMENT or not route.startswith("api/"):
            continue
        for who in CALLERS:
            answer = ask(world, who, method, route)
            fault = fault_of(document, method, route, answer)
            if fault:
                wrong.setdefault((method, route), f"as {who}: {fault}")
            if answer.status_code < 300:
                done.add((method, route))
    assert wrong == {}
    # The answers were not all refusals.
    assert len(done) > 100, sorted(routed() - done)


def ask(world: World, who: str, method: str, route: str) -> Any:
    """The answer of one caller; whatever it did is undone."""
    ids = world.ids(route)
    path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: ids[found[1]], route)
    short = route.removeprefix("api/v1/")
    if method == "GET" and short in QUERIES:
        path += QUERIES[short](world)
    with transaction.atomic():
        answer = getattr(world.clients[who], method.lower())(
            path,
            world.body(method, route),
            format="multipart" if short in UPLOADS and method == "POST" else "json",
            **({} if method == "GET" else {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}),
        )
        transaction.set_rollback(True)
    return answer
