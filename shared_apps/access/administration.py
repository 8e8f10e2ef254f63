"""The walls around changes of rights: they queue, never go beyond the own, never end in nobody."""

from __future__ import annotations

from collections.abc import Iterable

from shared_apps.access.actors import renewed
from shared_apps.access.checker import reach_of
from shared_apps.access.errors import LastAdmin, RoleBeyondOwnRights, RoleNeedsRoot
from shared_apps.access.models import Role, RolePermission, Scope, Unit, UnitKind
from shared_apps.access.selectors import ADMINISTRATION, administering_memberships
from shared_apps.kernel.actor import Actor

CHANGE = "access.change_membership"


def lock_memberships(actor: Actor) -> Actor:
    """Queue behind every other change of rights, and return the actor as of now.

    Two admins who remove each other, or an admin whose rights end while a request waits, must
    not both succeed; changes of rights are rare enough to go one by one.
    """
    Unit.objects.filter(kind=UnitKind.ORGANIZATION).for_change().first()
    return renewed(actor)


def gives_any_role(actor: Actor) -> bool:
    """Whether the actor may give any role to anybody, the own person included."""
    return reach_of(actor, CHANGE).everywhere


def check_admin_remains() -> None:
    """:raises LastAdmin: nobody active administers the organization."""
    if not administering_memberships().active().exists():
        raise LastAdmin


def check_place(*, role: Role, unit: Unit, grants: Iterable[RolePermission]) -> None:
    """:raises RoleNeedsRoot: the role is meant for the organization's own unit only."""
    if unit.is_root:
        return
    if role.root_only or any(_administers(grant) for grant in grants):
        raise RoleNeedsRoot(extra={"role": role.code})


def check_covered(actor: Actor, *, unit: Unit, grants: Iterable[RolePermission]) -> None:
    """Check what somebody who does not give any role to anybody wants to give or take.

    :raises RoleBeyondOwnRights: the role, held in the unit, has more than the actor has there; or
        it gives roles in its turn, which leads do not pass on.
    """
    for grant in grants:
        if grant.permission_name() == CHANGE:
            raise RoleBeyondOwnRights(extra={"permission": CHANGE})
        reach = reach_of(actor, grant.permission_name())
        covered = reach.everywhere
        if grant.scope != Scope.ORGANIZATION:
            covered = covered or any(unit.path.startswith(path) for path in reach.paths)
        if grant.scope == Scope.OWN:
            covered = covered or reach.own
        if not covered:
            raise RoleBeyondOwnRights(extra={"permission": grant.permission_name()})


def _administers(grant: RolePermission) -> bool:
    return grant.scope == Scope.ORGANIZATION and grant.permission_name() in ADMINISTRATION
