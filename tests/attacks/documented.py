"""The API of a world of test data, as its own document describes it, open to schemathesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from schemathesis.config import SchemathesisConfig

from config.wsgi import application
from shared_apps.access import services as access
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from tests.access.matrix_world import World
from tests.access.test_matrix import routed
from tests.people import client_of, machine, make_person

HOST = "acme.kontor.test"
PUBLIC_HOST = "kontor.test"
# Where the connection stands while a test looks at it: serving a request leaves it nowhere.
Place = Callable[[], AbstractContextManager[Any]]
SEED = 20_261_120

# What a role of the brief is called among the people of the world.
ROLES = {
    "admin": "admin",
    "supervisor": "supervisor",
    "verifier": "verifier",
    "team_lead": "lead",
    "salesperson": "owner",
    "nobody": "nobody",
}


class DocumentedWorld(World):
    """Knows the ids that stand in the places of an address as the document spells it."""

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, dict[str, str]] = {}
        for _, route in routed():
            path = "/" + re.sub(r"<\w+:(\w+)>", lambda found: "{" + _spelled(found[1]) + "}", route)
            ids = self.ids(route)
            self.places[path] = {_spelled(name): value for name, value in ids.items()}
        self.named = self._ids_by_field()

    def caller(self, role: str) -> User:
        """Somebody in the role; "everybody" holds all of them at once."""
        if role != "everybody":
            return self.people[ROLES[role]]
        person = make_person("Eve Everybody")
        for held in ("admin", "supervisor", "verifier", "team_lead", "salesperson"):
            access.grant_membership(
                actor=machine(), user_id=person.pk, unit_id=root_unit().pk, role=held
            )
        return person

    def _ids_by_field(self) -> dict[str, str]:
        """What the fields and filters that name a row may hold, so that some of them find one."""
        found = {
            "deal": self.deal,
            "client": self.client,
            "party": self.client,
            "product": self.product,
            "owner": self.people["owner"],
            "user": self.people["newcomer"],
            "user_id": self.people["newcomer"],
            "lead_id": self.people["newcomer"],
            "agent": self.people["owner"],
            "recorded_by": self.people["owner"],
            "unit": self.north.unit,
            "unit_id": self.north.unit,
            "team": self.north,
            "team_id": self.north,
            "parent_id": self.north,
            "parent": self.north.unit,
            "invoice": self.invoice,
            "payment": self.payment,
            "subject_id": self.deal,
        }
        return {name: str(row.pk) for name, row in found.items()}

    def aim(self, case: Any) -> None:
        """Put existing ids where three of four invented ones stand; what is no id stays."""
        known = self.places.get(case.path, {})
        if case.path_parameters:
            case.path_parameters = _aimed(case.path_parameters, known)
        if case.query:
            case.query = _aimed(case.query, self.named)
        if isinstance(case.body, dict):
            case.body = _aimed(case.body, self.named)
        stale = case.headers.get("If-Match") if case.headers else None
        if stale is not None and len(stale) % 4:
            case.headers.pop("If-Match")


def _spelled(name: str) -> str:
    return "id" if name == "pk" else name


def _aimed(values: Any, known: dict[str, str]) -> Any:
    return {
        name: known[name] if name in known and _is_invented(value) else value
        for name, value in values.items()
    }


def _is_invented(value: Any) -> bool:
    try:
        return isinstance(value, str) and UUID(value).int % 4 != 0
    except ValueError:
        return False


def described_api(host: str = HOST) -> Any:
    """The API as its document describes it; the same cases in every run."""
    # The caller's own session is what is tried, not invented ones.
    generation = {"database": "none", "with-security-parameters": False}
    # A stale If-Match is said before the body is read.
    refusals = ["400", "401", "403", "404", "409", "412", "413", "415", "422"]
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "generation": generation,
            "checks": {"negative_data_rejection": {"expected-statuses": refusals}},
        }
    )
    return schemathesis.openapi.from_wsgi(
        "/api/schema/?format=json", serve_within_a_test, config=config, headers={"Host": host}
    )


def serve_within_a_test(environ: Any, start_response: Any) -> Any:
    """The WSGI application, which leaves the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        answer = application(environ, start_response)
        body = b"".join(answer)
        answer.close()
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return [body]


def headers_of(person: User) -> dict[str, str]:
    """A session of this moment: it outlives the operations of one role."""
    token = client_of(person)._credentials["HTTP_AUTHORIZATION"]
    return {"Host": HOST, "Authorization": token}


@contextmanager
def undone(place: Place) -> Iterator[None]:
    """Each case meets the same state, and a broken transaction breaks no later one."""
    with place():
        before = transaction.savepoint()
    try:
        yield
    finally:
        with place():
            transaction.savepoint_rollback(before)
