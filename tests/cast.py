"""The named cast of stories about sales: who they are, where they work, what they may do.

Olga owns the deals of most tests; Paul works in the same team; Lea leads it; Vera verifies;
Sam supervises; Ada administers; Oscar is a salesperson of another team, an outsider to the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.access.models import Unit, UnitKind
from shared_apps.access.services import add_unit, place_member
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor

PEOPLE = {
    "olga": ("salesperson", "north"),
    "paul": ("salesperson", "north"),
    "lea": ("team_lead", "north"),
    "oscar": ("salesperson", "south"),
    "vera": ("verifier", "root"),
    "sam": ("supervisor", "root"),
    "ada": ("admin", "root"),
}


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
