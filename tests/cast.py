"""The named cast of stories about sales: who they are, where they work, what they may do.

Olga owns the deals of most tests; Paul works in the same team; Lea leads it; Vera verifies;
Sam supervises; Ada administers; Oscar is a salesperson of another team, an outsider to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as _connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.access.models import Unit, UnitKind
from shared_apps.access.services import add_unit, place_member
from shared_apps.accounts.models import User
from shared_apps.accounts.services import start_session
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenants.context import current_organization

# The wrapper of tenants.database, of which the stubs of Django know nothing.
connection: Any = _connection

PEOPLE = {
    "olga": ("salesperson", "north"),
    "paul": ("salesperson", "north"),
    "lea": ("team_lead", "north"),
    "oscar": ("salesperson", "south"),
    "vera": ("verifier", "root"),
    "sam": ("supervisor", "root"),
    "ada": ("admin", "root"),
}


class Caller:
    """One person's signed-in client. Each call leaves the connection in the tenant it was in."""

    def __init__(self, token: str, *, host: str) -> None:
        self._client = APIClient(HTTP_HOST=host, raise_request_exception=False)
        self._client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        self.statements: list[str] = []

    def get(self, path: str, **headers: str) -> Any:
        return self._call("get", path, None, headers)

    def post(self, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> Any:
        """POST with an Idempotency-Key of its own; None leaves it out."""
        if key is not None:
            headers["HTTP_IDEMPOTENCY_KEY"] = key or str(uuid4())
        return self._call("post", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:
        return self._call("patch", path, body, headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self._call("delete", path, None, headers)

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        organization = current_organization()
        try:
            with CaptureQueriesContext(connection) as captured:
                response = getattr(self._client, method)(
                    path if path.startswith("/") else f"/api/v1/{path}",
                    body,
                    format=None if body is None else "json",
                    **headers,
                )
        finally:
            connection.set_tenant(organization)
        self.statements = [query["sql"] for query in captured.captured_queries]
        return response


@dataclass(frozen=True)
class Cast:
    """People by their first names; actors are made anew for each use, as requests do."""

    people: dict[str, User]
    units: dict[str, Unit]

    def user(self, name: str) -> User:
        return self.people[name]

    def actor(self, name: str) -> Actor:
        return actor_for_user(user_id=self.people[name].pk, request_id=f"test-{name}")

    def unit_of(self, name: str) -> Unit:
        return self.units[PEOPLE[name][1]]

    def api(self, name: str, *, host: str = "acme.kontor.test") -> Caller:
        """The person, signed in, with a second factor where one is asked for."""
        signed_in = start_session(
            user=self.people[name],
            method="credentials",
            actor=system_actor("test"),
            second_factor_at=clock.now(),
        )
        return Caller(signed_in.tokens.access, host=host)

    @property
    def system(self) -> Actor:
        return system_actor("test")


def assemble() -> Cast:
    """Two teams and their people, in the tenant of the moment."""
    actor = system_actor("test")
    root = Unit.objects.root()
    units = {
        "root": root,
        "north": add_unit(parent=root, kind=UnitKind.TEAM, name="North", actor=actor),
        "south": add_unit(parent=root, kind=UnitKind.TEAM, name="South", actor=actor),
    }
    people = {}
    for name, (role, unit) in PEOPLE.items():
        person = User(email=f"{name}@acme.test", full_name=name.title())
        person.set_unusable_password()
        person.save()
        people[name] = person
        place_member(actor=actor, user_id=person.pk, unit=units[unit], role=role)
    return Cast(people=people, units=units)


@pytest.fixture
def cast(tenant: Any) -> Cast:
    """The cast, in Acme's context, rolled back after the test."""
    return assemble()
