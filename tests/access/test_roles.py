"""Roles of an organization's own, and the standard ones."""

import pytest

from shared_apps.access import errors, services
from shared_apps.access.bundles import STANDARD_ROLES
from shared_apps.access.models import Membership, Role
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import BadInput, Forbidden
from tenant_apps.teams.models import Team
from tests.people import actor_of, make_person


def grant(permission: str, scope: str = "organization") -> services.GrantOfRole:
    return services.GrantOfRole(permission=permission, scope=scope)


def make_role(admin: User, *grants: services.GrantOfRole, code: str = "treasurer") -> Role:
    return services.create_role(actor=actor_of(admin), code=code, name="Own", grants=grants)


def test_a_changed_role_acts_at_once(admin: User, south: Team) -> None:
    role = make_role(admin, grant("teams.view_team"))
    person = make_person("Tom Treasurer", role=role.code)
    assert actor_of(person).allows("teams.view_team", south)

    services.change_role(actor=actor_of(admin), role_id=role.pk, grants=[])

    assert not actor_of(person).allows("teams.view_team", south)


def test_a_change_says_what_was_added_and_removed(admin: User) -> None:
    role = make_role(admin, grant("teams.view_team"))

    services.change_role(
        actor=actor_of(admin), role_id=role.pk, grants=[grant("teams.view_team", "unit")]
    )

    entry = AuditEntry.objects.get(event_name="access.role_changed")
    assert entry.payload["added"] == ["teams.view_team: unit"]
    assert entry.payload["removed"] == ["teams.view_team: organization"]


def test_standard_roles_are_fixed(admin: User) -> None:
    for role in Role.objects.filter(is_standard=True):
        with pytest.raises(errors.StandardRoleFixed):
            services.change_role(actor=actor_of(admin), role_id=role.pk, grants=[])
        with pytest.raises(errors.StandardRoleFixed):
            services.remove_role(actor=actor_of(admin), role_id=role.pk)
    assert Role.objects.filter(is_standard=True).count() == len(STANDARD_ROLES)


def test_only_whoever_gives_any_role_edits_roles(admin: User, supervisor: User) -> None:
    role = make_role(admin, grant("access.change_role"), grant("access.view_role"), code="editor")
    editor = make_person("Edda Editor", role=role.code)

    with pytest.raises(errors.OwnRights):
        services.change_role(
            actor=actor_of(editor), role_id=role.pk, grants=[grant("audit.view_auditentry")]
        )
    with pytest.raises(Forbidden):
        make_role(supervisor, grant("audit.view_auditentry"), code="mine")
    assert role.grants.count() == 2


@pytest.mark.parametrize(
    "wrong",
    [
        grant("auth.add_permission"),
        grant("guardian.add_userobjectpermission"),
        grant("teams.fly_team"),
        grant("teams.view_team", "universe"),
    ],
)
def test_refuses_what_is_no_permission_of_the_house(
    wrong: services.GrantOfRole, admin: User
) -> None:
    with pytest.raises(BadInput):
        make_role(admin, wrong)
    assert not Role.objects.filter(code="treasurer").exists()


def test_refuses_a_permission_twice(admin: User) -> None:
    with pytest.raises(BadInput):
        make_role(admin, grant("teams.view_team"), grant("teams.view_team", "own"))


def test_refuses_a_taken_code(admin: User) -> None:
    with pytest.raises(errors.RoleCodeTaken):
        make_role(admin, code="admin")


def test_a_held_role_is_not_removed(admin: User) -> None:
    role = make_role(admin, grant("teams.view_team"))
    person = make_person("Tom Treasurer", role=role.code)
    held = Membership.objects.get(user=person)
    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    with pytest.raises(errors.RoleInUse):
        services.remove_role(actor=actor_of(admin), role_id=role.pk)


def test_an_unused_role_is_removed(admin: User) -> None:
    role = make_role(admin, grant("teams.view_team"))

    services.remove_role(actor=actor_of(admin), role_id=role.pk)

    assert not Role.objects.filter(pk=role.pk).exists()


def test_a_role_held_in_a_team_does_not_begin_to_administer(admin: User, north: Team) -> None:
    role = make_role(admin, grant("teams.view_team"))
    make_person("Tom Treasurer", role=role.code, unit=north.unit)

    with pytest.raises(errors.RoleNeedsRoot):
        services.change_role(
            actor=actor_of(admin), role_id=role.pk, grants=[grant("access.change_membership")]
        )


def test_the_role_of_the_last_admin_keeps_its_rights(admin: User) -> None:
    role = make_role(
        admin,
        *(grant(f"access.{name}_role") for name in ("view", "change")),
        grant("access.change_membership"),
        grant("access.view_membership"),
        code="owner",
    )
    owner = make_person("Olga Owner", role=role.code)
    held = Membership.objects.get(user=admin)
    services.revoke_membership(actor=actor_of(owner), membership_id=held.pk)

    with pytest.raises(errors.LastAdmin):
        services.change_role(actor=actor_of(owner), role_id=role.pk, grants=[])
    assert role.grants.count() == 4
