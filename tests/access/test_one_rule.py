"""Of whatever people, roles, units and records: the list, the check of one object and the rule as
a reader would work it out by hand agree."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_apps.access.models import (
    Membership,
    Role,
    RolePermission,
    Scope,
    Unit,
    UnitKind,
)
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from tenant_apps.deals.models import Deal, DealGrant
from tests.people import actor_of

PERMISSIONS = ("view_deal", "change_deal")
PEOPLE = 3


@dataclass(frozen=True)
class World:
    """Plain numbers: units and people by their place, the root being unit 0."""

    parents: list[int]
    roles: list[dict[str, tuple[str, int | None]]]
    memberships: list[tuple[int, int, int, bool]]
    deals: list[tuple[int, int]]
    grants: set[tuple[int, int, str]]
    closed_out: set[int]


@st.composite
def worlds(draw: Any) -> World:
    parents = [draw(st.integers(0, above)) for above in range(draw(st.integers(1, 4)))]
    units = st.integers(0, len(parents))
    people = st.integers(0, PEOPLE - 1)
    count = draw(st.integers(1, 3))
    scope = st.tuples(
        st.sampled_from(Scope.values), st.one_of(st.none(), st.integers(0, count - 1))
    ).filter(lambda pair: pair[1] is None or pair[0] != Scope.OWN)
    roles = [
        draw(st.dictionaries(st.sampled_from(PERMISSIONS), scope, max_size=2)) for _ in range(count)
    ]
    deals = draw(st.lists(st.tuples(people, units), min_size=1, max_size=5))
    return World(
        parents=parents,
        roles=roles,
        memberships=draw(
            st.lists(
                st.tuples(people, units, st.integers(0, count - 1), st.booleans()),
                max_size=6,
                unique_by=lambda held: held[:3],
            )
        ),
        deals=deals,
        grants=draw(
            st.sets(
                st.tuples(people, st.integers(0, len(deals) - 1), st.sampled_from(PERMISSIONS)),
                max_size=3,
            )
        ),
        closed_out=draw(st.sets(people, max_size=1)),
    )


def above(world: World, unit: int) -> set[int]:
    """The unit itself and every unit over it."""
    found = {unit}
    while unit:
        unit = world.parents[unit - 1]
        found.add(unit)
    return found


def expected(world: World, person: int, permission: str) -> set[int]:
    """The deals within reach, worked out row by row."""
    if person in world.closed_out:
        return set()
    active = [held for held in world.memberships if held[3] and held[0] not in world.closed_out]
    reached = set()
    for number, (owner, unit) in enumerate(world.deals):
        over = above(world, unit)
        for holder, place, role, _ in active:
            scope, unless = world.roles[role].get(permission, (None, None))
            if holder != person or scope is None:
                continue
            if unless is not None and any(
                other_role == unless and other_place in over
                for _, other_place, other_role, _ in active
            ):
                continue
            if (
                scope == Scope.ORGANIZATION
                or (scope == Scope.UNIT and place in over)
                or (scope == Scope.OWN and owner == person)
            ):
                reached.add(number)
        if (person, number, permission) in world.grants:
            reached.add(number)
    return reached


class Stage:
    """The world as rows."""

    def __init__(self, world: World) -> None:
        self.units = [root_unit()]
        for number, parent in enumerate(world.parents):
            above = self.units[parent]
            unit = Unit(parent=above, kind=UnitKind.TEAM, name=f"Unit {number}")
            unit.path = above.path_below(unit.pk)
            unit.save()
            self.units.append(unit)
        self.people = [
            User(
                email=f"person{number}@acme.example",
                full_name=f"Person {number}",
                is_active=number not in world.closed_out,
            )
            for number in range(PEOPLE)
        ]
        User.objects.bulk_create(self.people)
        rights = {
            name: Permission.objects.get(codename=name, content_type__app_label="deals")
            for name in PERMISSIONS
        }
        roles = [
            Role.objects.create(code=f"role{number}", name="Role")
            for number in range(len(world.roles))
        ]
        for role, grants in zip(roles, world.roles, strict=True):
            for name, (scope, unless) in grants.items():
                RolePermission.objects.create(
                    role=role,
                    permission=rights[name],
                    scope=scope,
                    unless_role=None if unless is None else roles[unless],
                )
        for person, place, number, is_active in world.memberships:
            Membership.objects.create(
                user=self.people[person],
                unit=self.units[place],
                role=roles[number],
                is_active=is_active,
            )
        self.deals = [
            Deal.objects.create(
                reference=f"D{number}",
                owner=self.people[owner],
                unit=self.units[place],
                currency="KES",
            )
            for number, (owner, place) in enumerate(world.deals)
        ]
        for person, number, name in world.grants:
            DealGrant.objects.create(
                user=self.people[person],
                permission=rights[name],
                content_object=self.deals[number],
            )


def check(world: World) -> None:
    stage = Stage(world)
    for number, person in enumerate(stage.people):
        actor = actor_of(person)
        for name in PERMISSIONS:
            permission = f"deals.{name}"
            wanted = {stage.deals[deal].pk for deal in expected(world, number, name)}
            listed = [deal.pk for deal in actor.visible(Deal.objects.all(), permission)]
            allowed = {deal.pk for deal in stage.deals if actor.allows(permission, deal)}
            assert len(listed) == len(set(listed)), "a row is listed twice"
            assert set(listed) == allowed == wanted


@pytest.mark.usefixtures("tenant")
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(world=worlds())
def test_list_object_check_and_plain_reading_agree(world: World) -> None:
    with transaction.atomic():
        check(world)
        transaction.set_rollback(True)
