"""Roles: the standard ones as the code declares them, and those an organization adds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import transaction

from shared_apps.access.administration import (
    CHANGE,
    check_admin_remains,
    check_place,
    gives_any_role,
    lock_memberships,
)
from shared_apps.access.bundles import ROOT_ONLY, STANDARD_ROLES, standard_grants
from shared_apps.access.errors import OwnRights, RoleCodeTaken, RoleInUse, StandardRoleFixed
from shared_apps.access.events import RoleChanged, RoleCreated, RoleRemoved
from shared_apps.access.models import Membership, Role, RolePermission, Scope
from shared_apps.access.selectors import grantable_permissions, roles_visible_to
from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.operations import step

_MAXIMUM_GRANTS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantOfRole:
    """A permission such as ``deals.view_deal``, its scope, and whose absence it depends on."""

    permission: str
    scope: str
    unless_role: str | None = None

    def __str__(self) -> str:
        condition = f" unless {self.unless_role}" if self.unless_role else ""
        return f"{self.permission}: {self.scope}{condition}"


@transaction.atomic
def create_role(
    *,
    actor: Actor,
    code: str,
    name: str,
    grants: Sequence[GrantOfRole],
    root_only: bool = False,
) -> Role:
    """Add a role of the organization's own.

    :raises Forbidden: the actor does not add roles.
    :raises OwnRights: the actor could not give the role's rights to people.
    :raises RoleCodeTaken: another role has this code.
    :raises BadInput: a permission or scope does not exist, or stands there twice.
    """
    actor = lock_memberships(actor)
    actor.require("access.add_role")
    _require_unbounded(actor)
    if Role.objects.filter(code=code).exists():
        raise RoleCodeTaken
    rows = _rows(grants)
    role = Role(code=code, name=name, root_only=root_only, created_by_id=actor.user_id)
    role.save(force_insert=True)
    _insert(role, rows.values())
    audit.record(
        RoleCreated(subject_id=role.pk, code=code, grants=tuple(sorted(map(str, grants)))),
        actor=actor,
    )
    return role


@transaction.atomic
def change_role(
    *,
    actor: Actor,
    role_id: UUID,
    name: str | None = None,
    grants: Sequence[GrantOfRole] | None = None,
) -> Role:
    """Rename a role of the organization's own or replace its grants.

    Whoever holds the role has the new rights with the next request.

    :raises NotFound: it does not exist or is not visible.
    :raises Forbidden: the actor does not change roles.
    :raises OwnRights: the actor could not give the role's rights to people.
    :raises StandardRoleFixed: it is a standard role.
    :raises BadInput: a permission or scope does not exist, or stands there twice.
    :raises RoleNeedsRoot: the grants administer and somebody holds the role below the root.
    :raises LastAdmin: nobody would administer the organization any more.
    """
    actor = lock_memberships(actor)
    role = roles_visible_to(actor).locked(role_id)
    actor.require("access.change_role", role)
    _require_unbounded(actor)
    if role.is_standard:
        raise StandardRoleFixed
    if name is not None:
        role.name = name
    role.updated_by_id = actor.user_id
    role.save(update_fields=["name", "updated_at", "updated_by_id"])
    added: set[str] = set()
    removed: set[str] = set()
    if grants is not None:
        former = {str(_described(row)) for row in _grants_of(role)}
        _replace(role, grants)
        now = {str(grant) for grant in grants}
        added, removed = now - former, former - now
        check_admin_remains()
    audit.record(
        RoleChanged(
            subject_id=role.pk,
            code=role.code,
            added=tuple(sorted(added)),
            removed=tuple(sorted(removed)),
        ),
        actor=actor,
    )
    return role


@transaction.atomic
def remove_role(*, actor: Actor, role_id: UUID) -> None:
    """Remove a role that nobody ever held and no other role refers to.

    :raises NotFound: it does not exist or is not visible.
    :raises Forbidden: the actor does not remove roles.
    :raises StandardRoleFixed: it is a standard role.
    :raises RoleInUse: somebody holds it or held it (ended memberships are kept), or rights of
        another role depend on it.
    """
    actor = lock_memberships(actor)
    role = roles_visible_to(actor).locked(role_id)
    actor.require("access.delete_role", role)
    if role.is_standard:
        raise StandardRoleFixed
    if Membership.objects.filter(role=role).exists():
        raise RoleInUse
    if RolePermission.objects.filter(unless_role=role).exists():
        raise RoleInUse("Rights of another role depend on it.")
    event = RoleRemoved(subject_id=role.pk, code=role.code)
    role.delete()
    audit.record(event, actor=actor)


@step
@transaction.atomic
def sync_standard_roles(*, actor: Actor) -> list[str]:
    """Step: make the standard roles what the code declares, and say what was changed.

    A second run changes nothing and says nothing. The number of statements does not depend on
    the number of grants. A declared permission that the schema does not have yet is left out:
    the sync after the migration that brings it gives it.
    """
    standing = {role.code: role for role in Role.objects.filter(code__in=STANDARD_ROLES)}
    # A role of the organization's own may bear the code that a release brings: it stays as it is.
    taken = {code for code, role in standing.items() if not role.is_standard}
    roles = {code: role for code, role in standing.items() if code not in taken}
    declared = {code: held for code, held in standard_grants().items() if code not in taken}
    missing = [
        Role(
            code=code,
            name=name,
            is_standard=True,
            root_only=code in ROOT_ONLY,
            created_by_id=actor.user_id,
        )
        for code, name in STANDARD_ROLES.items()
        if code not in standing
    ]
    _correct_places(roles.values(), actor=actor)
    Role.objects.bulk_create(missing)
    history.record_bulk_created(missing, actor=actor)
    roles.update({role.code: role for role in missing})
    permissions = _permissions({grant.permission for held in declared.values() for grant in held})
    wanted = {
        (roles[code].pk, permissions[grant.permission].pk): (
            grant.scope,
            roles[grant.unless_role].pk if grant.unless_role else None,
        )
        for code, held in declared.items()
        for grant in held
        if grant.permission in permissions
    }
    changes = _bring_in_line(roles, wanted)
    said = [f"{role.code}: new role" for role in missing]
    said += [f"{code}: {text}" for code, text in changes]
    events: list[RoleCreated | RoleChanged] = [
        RoleCreated(
            subject_id=role.pk,
            code=role.code,
            grants=tuple(f"{grant.permission}: {grant.scope}" for grant in declared[role.code]),
        )
        for role in missing
    ]
    known = {role.code for role in missing}
    events += [
        RoleChanged(
            subject_id=roles[code].pk,
            code=code,
            added=tuple(text[1:] for other, text in changes if other == code and text[0] == "+"),
            removed=tuple(text[1:] for other, text in changes if other == code and text[0] == "-"),
        )
        for code in sorted({code for code, _ in changes} - known)
    ]
    audit.record_all(events, actor=actor)
    return said


def _correct_places(roles: Iterable[Role], *, actor: Actor) -> None:
    wrong = [role for role in roles if role.root_only != (role.code in ROOT_ONLY)]
    changes = [{"root_only": (role.root_only, not role.root_only)} for role in wrong]
    for role in wrong:
        role.root_only = not role.root_only
    Role.objects.bulk_update(wrong, ["root_only"])
    history.record_bulk_changed(wrong, changes, actor=actor)


def _bring_in_line(
    roles: Mapping[str, Role], wanted: Mapping[tuple[UUID, int], tuple[str, UUID | None]]
) -> list[tuple[str, str]]:
    codes = {role.pk: code for code, role in roles.items()}
    stored = RolePermission.objects.filter(role_id__in=codes).select_related(
        "permission__content_type"
    )
    surplus, kept, changes = [], set(), []
    for row in stored:
        key = (row.role_id, row.permission_id)
        if wanted.get(key) == (row.scope, row.unless_role_id):
            kept.add(key)
        else:
            surplus.append(row.pk)
            changes.append((codes[row.role_id], f"-{row.permission_name()}: {row.scope}"))
    if surplus:
        RolePermission.objects.filter(pk__in=surplus).delete()
    fresh = [
        RolePermission(role_id=key[0], permission_id=key[1], scope=scope, unless_role_id=unless)
        for key, (scope, unless) in wanted.items()
        if key not in kept
    ]
    RolePermission.objects.bulk_create(fresh)
    if fresh:
        names = {
            permission.pk: f"{permission.content_type.app_label}.{permission.codename}"
            for permission in Permission.objects.filter(
                pk__in={row.permission_id for row in fresh}
            ).select_related("content_type")
        }
        changes += [(codes[r.role_id], f"+{names[r.permission_id]}: {r.scope}") for r in fresh]
    return changes


def _permissions(names: Iterable[str]) -> dict[str, Permission]:
    wanted = set(names)
    found = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.filter(
            codename__in={name.partition(".")[2] for name in wanted}
        ).select_related("content_type")
    }
    return {name: found[name] for name in sorted(wanted & found.keys())}


def _require_unbounded(actor: Actor) -> None:
    # Otherwise whoever may edit roles, but not give them, would edit the own one.
    if not gives_any_role(actor):
        raise OwnRights(extra={"permission": CHANGE})


def _grants_of(role: Role) -> list[RolePermission]:
    return list(
        RolePermission.objects.filter(role=role).select_related(
            "permission__content_type", "unless_role"
        )
    )


def _described(row: RolePermission) -> GrantOfRole:
    return GrantOfRole(
        permission=row.permission_name(),
        scope=row.scope,
        unless_role=row.unless_role.code if row.unless_role else None,
    )


def _rows(grants: Sequence[GrantOfRole]) -> dict[str, RolePermission]:
    if len(grants) > _MAXIMUM_GRANTS:
        raise BadInput.field("grants", detail="A role holds no more than 500 permissions.")
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in grantable_permissions()
    }
    roles = {role.code: role for role in Role.objects.all()}
    rows: dict[str, RolePermission] = {}
    for index, grant in enumerate(grants):
        if grant.permission not in known:
            raise BadInput.field(
                "grants", index, "permission", detail="There is no such permission."
            )
        if grant.permission in rows:
            raise BadInput.field("grants", index, "permission", detail="It stands there twice.")
        if grant.scope not in Scope.values:
            raise BadInput.field("grants", index, "scope", detail="There is no such scope.")
        if grant.unless_role is not None and grant.unless_role not in roles:
            raise BadInput.field("grants", index, "unless_role", detail="There is no such role.")
        rows[grant.permission] = RolePermission(
            permission=known[grant.permission],
            scope=grant.scope,
            unless_role=roles[grant.unless_role] if grant.unless_role else None,
        )
    return rows


def _insert(role: Role, rows: Iterable[RolePermission]) -> None:
    fresh = list(rows)
    for row in fresh:
        row.role = role
    RolePermission.objects.bulk_create(fresh)


def _replace(role: Role, grants: Sequence[GrantOfRole]) -> None:
    rows = _rows(grants)
    held_in = Membership.objects.filter(role=role, is_active=True).select_related("unit")
    for membership in held_in:
        check_place(role=role, unit=membership.unit, grants=rows.values())
    RolePermission.objects.filter(role=role).delete()
    _insert(role, rows.values())
