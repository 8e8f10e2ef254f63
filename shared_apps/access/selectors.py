"""What other apps ask of access."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection
from django.db.models import Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat

from shared_apps.accounts.models import User, UserQuerySet
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet

from .bundles import SALESPERSON
from .models import Membership, MembershipQuerySet, ObjectGrant, Role, RolePermission, Scope, Unit
from .rules import Access, Fallback, Reach, grant_models, grants_in, subject_model_of

# Stands for the person in the compiled statement.
_SOMEBODY = UUID(int=0)

# Whoever holds one of these for the whole organization administers it.
ADMINISTRATION = (
    "access.change_membership",
    "access.add_role",
    "access.change_role",
    "access.delete_role",
    "accounts.change_user",
    "accounts.deactivate_user",
    "accounts.reset_second_factor",
    "accounts.change_signinpolicy",
)


def access_of(*, user_id: UUID) -> Access:
    """Everything that an active person's active memberships give, in one statement."""
    statement, parameters = _access_statement()
    with connection.cursor() as cursor:
        cursor.execute(
            statement, [user_id if value == _SOMEBODY else value for value in parameters]
        )
        rows = cursor.fetchall()
    tables = grant_models()
    roles: list[str] = []
    grants: dict[str, list[tuple[str, str, UUID | None]]] = defaultdict(list)
    granted_in: frozenset[type[ObjectGrant]] = frozenset()
    for role, path, scope, unless_role_id, *flags, permissions in rows:
        granted_in = frozenset(table for table, has in zip(tables, flags, strict=True) if has)
        if role is not None and role not in roles:
            roles.append(role)
        if scope is None:
            continue
        for permission in permissions:
            grants[permission].append((scope, path, unless_role_id))
    return Access(
        user_id=user_id,
        roles=tuple(roles),
        reaches={permission: _reach(held) for permission, held in grants.items()},
        granted_in=granted_in,
    )


@cache
def _access_statement() -> tuple[str, tuple[Any, ...]]:
    """The statement behind every request, compiled once: compiling takes longer than running."""
    flags = (Exists(grants_in(table).filter(user_id=_SOMEBODY)) for table in grant_models())
    rows = (
        User.objects.filter(pk=_SOMEBODY, is_active=True)
        .annotate(held=FilteredRelation("memberships", condition=Q(memberships__is_active=True)))
        .values_list(
            "held__role__code",
            "held__unit__path",
            "held__role__grants__scope",
            "held__role__grants__unless_role_id",
            *flags,
        )
        .annotate(
            permissions=ArrayAgg(
                Concat(
                    F("held__role__grants__permission__content_type__app_label"),
                    Value("."),
                    F("held__role__grants__permission__codename"),
                )
            )
        )
        .order_by("held__role__code", "held__unit__path")
    )
    statement, parameters = rows.query.sql_with_params()
    return statement, parameters


def _reach(held: Iterable[tuple[str, str, UUID | None]]) -> Reach:
    own = everywhere = False
    paths: set[str] = set()
    fallbacks: list[Fallback] = []
    for scope, path, unless_role_id in held:
        if unless_role_id is not None:
            below = "" if scope == Scope.ORGANIZATION else path
            fallbacks.append(Fallback(path=below, unless_role_id=unless_role_id))
        elif scope == Scope.OWN:
            own = True
        elif scope == Scope.UNIT:
            paths.add(path)
        else:
            everywhere = True
    return Reach(own=own, everywhere=everywhere, paths=_topmost(paths), fallbacks=tuple(fallbacks))


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


def memberships_visible_to(actor: Actor) -> MembershipQuerySet:
    """The memberships, ended ones included, that the actor may see."""
    return actor.visible(
        Membership.objects.select_related("user", "unit", "role"), "access.view_membership"
    )


def roles_visible_to(actor: Actor) -> RecordQuerySet[Role]:
    """The roles that the actor may see."""
    roles: RecordQuerySet[Role] = Role.objects.all()
    return actor.visible(roles, "access.view_role")


def users_visible_to(actor: Actor) -> UserQuerySet:
    """The people of the organization that the actor may see."""
    people: UserQuerySet = User.objects.all()
    return actor.visible(people, "accounts.view_user")


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


def administering_memberships() -> MembershipQuerySet:
    """The memberships, ended ones included, whose holders may give any role to anybody."""
    held = RolePermission.objects.filter(
        role_id=OuterRef("role_id"),
        scope=Scope.ORGANIZATION,
        unless_role__isnull=True,
        permission__codename="change_membership",
        permission__content_type__app_label="access",
    )
    return Membership.objects.filter(Exists(held), unit__parent__isnull=True)


def administers(*, user_id: UUID) -> bool:
    """Whether a person administers the organization in any way, and so needs two factors."""
    return is_administration(access_of(user_id=user_id))


def is_administration(access: Access) -> bool:
    """Whether the access holds any right that administers the whole organization.

    A right that depends on another role's absence counts too: nobody knows when it begins.
    """
    reaches = [access.reach(permission) for permission in ADMINISTRATION]
    return any(
        reach.everywhere or any(not fallback.path for fallback in reach.fallbacks)
        for reach in reaches
    )


def grantable_permissions() -> QuerySet[Permission]:
    """The permissions that roles can hold: those of the house's own apps."""
    ours = [
        config.label
        for config in apps.get_app_configs()
        if config.name.startswith(("shared_apps.", "tenant_apps."))
    ]
    return (
        Permission.objects.filter(content_type__app_label__in=ours)
        .select_related("content_type")
        .order_by("content_type__app_label", "codename")
    )


def object_grants_visible_to(actor: Actor) -> list[QuerySet[ObjectGrant]]:
    """The grants on records that the actor may share, one set for each kind of record."""
    found = []
    for table in grant_models():
        shared = actor.visible(subject_model_of(table)._base_manager.all(), "access.grant_objects")
        found.append(
            grants_in(table)
            .filter(content_object__in=shared.values("pk"))
            .select_related("user", "permission", "content_object")
        )
    return found
