"""Who holds which role where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db import transaction
from django.db.models import Model, QuerySet

from shared_apps.access.administration import (
    CHANGE,
    check_admin_remains,
    check_covered,
    check_place,
    gives_any_role,
    lock_memberships,
)
from shared_apps.access.bundles import ADMIN
from shared_apps.access.errors import AlreadyMember, MembershipEnded, OwnRights
from shared_apps.access.events import MembershipGranted, MembershipRevoked
from shared_apps.access.models import Membership, Role, RolePermission, Unit
from shared_apps.access.selectors import (
    administering_memberships,
    memberships_visible_to,
    users_visible_to,
)
from shared_apps.accounts.models import User
from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.operations import step

_ROWS_PER_STATEMENT = 1000

ModelT = TypeVar("ModelT", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMembership:
    """A person, a unit, and the code of the role that the person is to hold there."""

    user_id: UUID
    unit_id: UUID
    role: str


def grant_membership(*, actor: Actor, user_id: UUID, unit_id: UUID, role: str) -> Membership:
    """Let a person hold a role in a unit. See ``grant_memberships``."""
    wanted = NewMembership(user_id=user_id, unit_id=unit_id, role=role)
    return grant_memberships(actor=actor, wanted=[wanted])[0]


@transaction.atomic
def grant_memberships(*, actor: Actor, wanted: Sequence[NewMembership]) -> list[Membership]:
    """Let people hold roles in units, all or none of them.

    Who holds ``access.change_membership`` for the organization may give any role, also to
    themselves, and the event says so. Who holds it in a unit may give roles there to others, as
    far as the role holds nothing that they do not hold there themselves.

    :raises NotFound: a person, unit or role does not exist or is not visible.
    :raises Forbidden: the actor does not change memberships in that unit.
    :raises OwnRights: the actor's own membership, without holding the right organization-wide.
    :raises RoleBeyondOwnRights: the role holds more than the actor does.
    :raises RoleNeedsRoot: the role is held in the organization's own unit only.
    :raises AlreadyMember: somebody holds the role there already.
    """
    actor = lock_memberships(actor)
    people = _found(users_visible_to(actor), {new.user_id for new in wanted}, "person")
    units = _found(Unit.objects.all(), {new.unit_id for new in wanted}, "unit")
    roles = {role.code: role for role in Role.objects.filter(code__in={n.role for n in wanted})}
    grants = _grants_by_role(roles.values())
    for new in wanted:
        if new.role not in roles:
            raise NotFound(f"There is no role {new.role}.")
        role, unit = roles[new.role], units[new.unit_id]
        actor.require(CHANGE, unit)
        check_place(role=role, unit=unit, grants=grants[role.code])
        if gives_any_role(actor):
            continue
        if new.user_id == actor.user_id:
            raise OwnRights
        check_covered(actor, unit=unit, grants=grants[role.code])
    return _store(actor, [(people[n.user_id], units[n.unit_id], roles[n.role]) for n in wanted])


@step
@transaction.atomic
def place_member(*, actor: Actor, user_id: UUID, unit: Unit, role: str) -> Membership:
    """Step: give a role in a unit, where the calling app has checked that the actor may.

    :raises NotFound: there is no such person or role.
    :raises RoleNeedsRoot: the role is held in the organization's own unit only.
    :raises AlreadyMember: the person holds the role there already.
    """
    person = User.objects.obtain(user_id)
    found = Role.objects.filter(code=role).first()
    if found is None:
        raise NotFound(f"There is no role {role}.")
    check_place(role=found, unit=unit, grants=_grants_by_role([found])[role])
    return _store(actor, [(person, unit, found)])[0]


def revoke_membership(*, actor: Actor, membership_id: UUID) -> Membership:
    """End a membership; its rights are gone with the person's next request.

    :raises NotFound: it does not exist or is not visible.
    :raises Forbidden: the actor does not change memberships in that unit.
    :raises RoleBeyondOwnRights: the role holds more than the actor does.
    :raises MembershipEnded: it has ended before.
    :raises LastAdmin: nobody would administer the organization any more.
    """
    return revoke_memberships(actor=actor, membership_ids=[membership_id])[0]


@transaction.atomic
def revoke_memberships(*, actor: Actor, membership_ids: Iterable[UUID]) -> list[Membership]:
    """End several memberships, all or none of them. See ``revoke_membership``."""
    actor = lock_memberships(actor)
    held = memberships_visible_to(actor).locked_all(membership_ids)
    grants = _grants_by_role([membership.role for membership in held])
    for membership in held:
        actor.require(CHANGE, membership.unit)
        if not gives_any_role(actor):
            check_covered(actor, unit=membership.unit, grants=grants[membership.role.code])
        if not membership.is_active:
            raise MembershipEnded
    return _end(actor, held)


@step
def install_first_admin(*, user_id: UUID, actor: Actor) -> Membership:
    """Step: make the person who signed the organization up its admin.

    :raises NotFound: there is no such person.
    :raises AlreadyMember: the person is an admin already.
    """
    return place_member(actor=actor, user_id=user_id, unit=Unit.objects.root(), role=ADMIN)


@step
@transaction.atomic
def withdraw_member(*, actor: Actor, user_id: UUID, unit: Unit, role: str) -> Membership | None:
    """Step: end a role in a unit, where the calling app has checked that the actor may.

    Returns None if the person does not hold it.

    :raises LastAdmin: nobody would administer the organization any more.
    """
    lock_memberships(actor)
    held = list(
        Membership.objects.filter(user_id=user_id, unit=unit, role__code=role, is_active=True)
        .select_related("role", "unit")
        .for_change()
    )
    return _end(actor, held)[0] if held else None


def _grants_by_role(roles: Iterable[Role]) -> dict[str, list[RolePermission]]:
    codes = {role.pk: role.code for role in roles}
    found: dict[str, list[RolePermission]] = {code: [] for code in codes.values()}
    for grant in RolePermission.objects.filter(role_id__in=codes).select_related(
        "permission__content_type"
    ):
        found[codes[grant.role_id]].append(grant)
    return found


def _found(rows: QuerySet[ModelT], ids: set[UUID], noun: str) -> dict[UUID, ModelT]:
    found = rows.in_bulk(ids)
    if len(found) != len(ids):
        raise NotFound(f"There is no such {noun}.")
    return found


def _store(actor: Actor, wanted: Sequence[tuple[User, Unit, Role]]) -> list[Membership]:
    keys = [(user.pk, unit.pk, role.pk) for user, unit, role in wanted]
    if len(set(keys)) != len(keys):
        raise AlreadyMember("The same membership is asked for twice.")
    former = {
        (row.user_id, row.unit_id, row.role_id): row
        for row in Membership.objects.filter(
            user_id__in={key[0] for key in keys}, unit_id__in={key[1] for key in keys}
        ).for_change()
    }
    made, revived, answer = [], [], []
    for user, unit, role in wanted:
        row = former.get((user.pk, unit.pk, role.pk))
        if row is None:
            row = Membership(created_by_id=actor.user_id)
            made.append(row)
        elif row.is_active:
            raise AlreadyMember(extra={"user_id": str(user.pk), "role": role.code})
        else:
            revived.append(row)
        row.user, row.unit, row.role, row.is_active = user, unit, role, True
        row.updated_by_id, row.updated_at = actor.user_id, clock.now()
        answer.append(row)
    Membership.objects.bulk_create(made, batch_size=_ROWS_PER_STATEMENT)
    _save_activity(revived)
    history.record_bulk_created(made, actor=actor)
    history.record_bulk_changed(revived, [{"is_active": (False, True)}] * len(revived), actor=actor)
    audit.record_all(
        [
            MembershipGranted(
                subject_id=row.pk,
                user_id=row.user_id,
                unit_id=row.unit_id,
                role=row.role.code,
                to_self=row.user_id == actor.user_id,
            )
            for row in answer
        ],
        actor=actor,
    )
    return answer


def _end(actor: Actor, held: Sequence[Membership]) -> list[Membership]:
    for membership in held:
        membership.is_active = False
        membership.updated_by_id, membership.updated_at = actor.user_id, clock.now()
    _save_activity(held)
    if administering_memberships().filter(pk__in=[row.pk for row in held]).exists():
        check_admin_remains()
    history.record_bulk_changed(held, [{"is_active": (True, False)}] * len(held), actor=actor)
    audit.record_all(
        [
            MembershipRevoked(
                subject_id=row.pk, user_id=row.user_id, unit_id=row.unit_id, role=row.role.code
            )
            for row in held
        ],
        actor=actor,
    )
    return list(held)


def _save_activity(rows: Sequence[Membership]) -> None:
    Membership.objects.bulk_update(
        rows, ["is_active", "updated_by_id", "updated_at"], batch_size=_ROWS_PER_STATEMENT
    )
