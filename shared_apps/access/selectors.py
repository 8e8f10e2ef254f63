"""What other apps ask of access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor

from .bundles import ADMIN, SALESPERSON
from .models import Membership, Role, RolePermission, Scope, Unit
from .rules import Access, Fallback, Reach

# Whoever holds one of these for the whole organization administers it.
ADMINISTRATION = ("access.change_membership", "access.change_role", "accounts.change_user")


def access_of(*, user_id: UUID) -> Access:
    """Everything that a person's active memberships give, in one statement."""
    rows = (
        Membership.objects.active()
        .filter(user_id=user_id)
        .values_list(
            "role__code",
            "unit__path",
            "unit__parent_id",
            "role__grants__scope",
            "role__grants__unless_role_id",
        )
        .annotate(
            permissions=ArrayAgg(
                Concat(
                    F("role__grants__permission__content_type__app_label"),
                    Value("."),
                    F("role__grants__permission__codename"),
                )
            )
        )
        .order_by("role__code", "unit__path")
    )
    roles: list[str] = []
    grants: dict[str, list[tuple[str, str, bool, UUID | None]]] = defaultdict(list)
    for role, path, parent_id, scope, unless_role_id, permissions in rows:
        if role not in roles:
            roles.append(role)
        if scope is None:
            continue
        for permission in permissions:
            grants[permission].append((scope, path, parent_id is None, unless_role_id))
    return Access(
        user_id=user_id,
        roles=tuple(roles),
        reaches={permission: _reach(held) for permission, held in grants.items()},
    )


def _reach(held: Iterable[tuple[str, str, bool, UUID | None]]) -> Reach:
    own = everywhere = organization = False
    paths: set[str] = set()
    fallbacks: list[Fallback] = []
    for scope, path, at_root, unless_role_id in held:
        if unless_role_id is not None:
            fallbacks.append(Fallback(path=path, unless_role_id=unless_role_id, scope=scope))
        elif scope == Scope.OWN:
            own = True
        else:
            paths.add(path)
            if scope == Scope.ORGANIZATION:
                organization = True
                everywhere |= at_root
    return Reach(
        own=own,
        everywhere=everywhere,
        organization=organization,
        paths=_topmost(paths),
        fallbacks=tuple(fallbacks),
    )


def _topmost(paths: set[str]) -> tuple[str, ...]:
    """The paths without those that lie below another one."""
    kept: list[str] = []
    for path in sorted(paths):
        if not kept or not path.startswith(kept[-1]):
            kept.append(path)
    return tuple(kept)


def root_unit() -> Unit:
    """The unit that is the organization itself."""
    return Unit.objects.root()


def units_visible_to(actor: Actor) -> QuerySet[Unit]:
    """The units that the actor may see."""
    return actor.visible(Unit.objects.all(), "access.view_unit")


def memberships_visible_to(actor: Actor) -> QuerySet[Membership]:
    """The memberships, ended ones included, that the actor may see."""
    return actor.visible(
        Membership.objects.select_related("user", "unit", "role"), "access.view_membership"
    )


def roles_visible_to(actor: Actor) -> QuerySet[Role]:
    """The roles that the actor may see."""
    return actor.visible(Role.objects.all(), "access.view_role")


def users_visible_to(actor: Actor) -> QuerySet[User]:
    """The people of the organization that the actor may see."""
    return actor.visible(User.objects.all(), "accounts.view_user")


def members_of(*, unit_id: UUID) -> QuerySet[User]:
    """The active people who hold any role in exactly this unit."""
    held = Membership.objects.active().filter(unit_id=unit_id, user_id=OuterRef("pk"))
    return User.objects.filter(Exists(held))


def home_unit_of(*, user_id: UUID) -> Unit | None:
    """The unit in which a person's new records stand by default.

    It is the oldest active membership's, the one as salesperson before all others.
    """
    held = list(
        Membership.objects.active()
        .filter(user_id=user_id)
        .select_related("unit", "role")
        .order_by("created_at", "pk")
    )
    held.sort(key=lambda membership: membership.role.code != SALESPERSON)
    return held[0].unit if held else None


def active_holders_of(*, role: str) -> QuerySet[User]:
    """The active people who hold the role in any unit."""
    held = Membership.objects.active().filter(role__code=role, user_id=OuterRef("pk"))
    return User.objects.filter(is_active=True).filter(Exists(held))


def root_admins() -> QuerySet[Membership]:
    """The active memberships that administer the whole organization."""
    return Membership.objects.active().filter(role__code=ADMIN, unit__parent__isnull=True)


def administers(*, user_id: UUID) -> bool:
    """Whether a person holds any right that administers the organization, so needs two factors."""
    return Membership.objects.active().filter(administering("role"), user_id=user_id).exists()


def administering(prefix: str) -> Exists:
    """The condition that the role at the lookup ``prefix`` administers the organization."""
    named = Q()
    for permission in ADMINISTRATION:
        app_label, _, codename = permission.partition(".")
        named |= Q(permission__codename=codename, permission__content_type__app_label=app_label)
    held = RolePermission.objects.filter(
        named, role_id=OuterRef(f"{prefix}_id"), scope=Scope.ORGANIZATION
    )
    return Exists(held)
