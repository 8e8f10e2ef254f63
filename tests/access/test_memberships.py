"""Who may give and end which role, where, and to whom."""

from typing import Any

import pytest

from shared_apps.access import errors, services
from shared_apps.access.models import Membership, Role
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.teams.models import Team
from tests.people import actor_of, machine, make_person


def grant(by: User, to: User, role: str, unit_id: Any) -> Membership:
    return services.grant_membership(actor=actor_of(by), user_id=to.pk, unit_id=unit_id, role=role)


def held_by(person: User) -> set[str]:
    active = Membership.objects.filter(user=person, is_active=True)
    return set(active.values_list("role__code", flat=True))


def test_an_admin_gives_any_role(admin: User, salesperson: User) -> None:
    grant(admin, salesperson, "supervisor", root_unit().pk)

    assert held_by(salesperson) == {"salesperson", "supervisor"}


def test_an_admin_who_takes_a_role_is_marked_in_the_audit(admin: User) -> None:
    grant(admin, admin, "verifier", root_unit().pk)

    entry = AuditEntry.objects.filter(event_name="access.membership_granted").order_by("-id")[0]
    assert entry.payload["to_self"] is True
    assert entry.actor_user_id == admin.pk


@pytest.mark.parametrize("role", ["salesperson", "team_lead", "verifier", "supervisor", "admin"])
def test_nobody_else_gives_roles_in_the_organization(
    role: str, supervisor: User, verifier: User, salesperson: User, lead: User, outsider: User
) -> None:
    before = Membership.objects.count()
    for person in (supervisor, verifier, salesperson, lead):
        for target in (person, outsider):
            with pytest.raises((Forbidden, NotFound)):
                grant(person, target, role, root_unit().pk)
    assert Membership.objects.count() == before


def test_a_lead_takes_a_colleague_into_the_own_team(lead: User, north: Team) -> None:
    newcomer = make_person("Nora New")

    grant(lead, newcomer, "salesperson", north.unit_id)

    assert held_by(newcomer) == {"salesperson"}


def test_a_lead_gives_nothing_in_another_team(lead: User, south: Team) -> None:
    newcomer = make_person("Nora New")

    with pytest.raises(Forbidden):
        grant(lead, newcomer, "salesperson", south.unit_id)
    assert held_by(newcomer) == set()


def test_a_lead_gives_no_more_than_the_own_rights(lead: User, admin: User, north: Team) -> None:
    newcomer = make_person("Nora New")
    services.create_role(
        actor=actor_of(admin),
        code="auditor",
        name="Auditor",
        grants=[services.GrantOfRole(permission="audit.view_auditentry", scope="organization")],
    )

    with pytest.raises(errors.RoleBeyondOwnRights):
        grant(lead, newcomer, "auditor", north.unit_id)
    assert held_by(newcomer) == set()


def test_a_lead_makes_no_other_lead(lead: User, salesperson: User, north: Team) -> None:
    with pytest.raises(errors.RoleBeyondOwnRights):
        grant(lead, salesperson, "team_lead", north.unit_id)
    assert held_by(salesperson) == {"salesperson"}


def test_a_lead_gives_nothing_to_the_own_person(lead: User, north: Team) -> None:
    with pytest.raises(errors.OwnRights):
        grant(lead, lead, "salesperson", north.unit_id)
    assert held_by(lead) == {"team_lead"}


@pytest.mark.parametrize("role", ["admin", "supervisor", "verifier"])
def test_roles_of_the_organization_are_not_held_in_a_team(
    role: str, admin: User, salesperson: User, north: Team
) -> None:
    with pytest.raises(errors.RoleNeedsRoot):
        grant(admin, salesperson, role, north.unit_id)
    assert held_by(salesperson) == {"salesperson"}


def test_an_own_role_that_administers_is_not_held_in_a_team(
    admin: User, salesperson: User, north: Team
) -> None:
    services.create_role(
        actor=actor_of(admin),
        code="deputy",
        name="Deputy",
        grants=[services.GrantOfRole(permission="access.change_membership", scope="organization")],
    )
    with pytest.raises(errors.RoleNeedsRoot):
        grant(admin, salesperson, "deputy", north.unit_id)


def test_refuses_a_role_that_is_held_already(admin: User, salesperson: User, north: Team) -> None:
    with pytest.raises(errors.AlreadyMember):
        grant(admin, salesperson, "salesperson", north.unit_id)
    assert Membership.objects.filter(user=salesperson).count() == 1


def test_an_ended_role_can_be_given_again(admin: User, salesperson: User, north: Team) -> None:
    held = Membership.objects.get(user=salesperson)
    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    again = grant(admin, salesperson, "salesperson", north.unit_id)

    assert again.pk == held.pk
    assert held_by(salesperson) == {"salesperson"}


def test_refuses_to_end_it_twice(admin: User, salesperson: User) -> None:
    held = Membership.objects.get(user=salesperson)
    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    with pytest.raises(errors.MembershipEnded):
        services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)


def test_the_last_admin_stays(admin: User) -> None:
    held = Membership.objects.get(user=admin)

    with pytest.raises(errors.LastAdmin):
        services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)
    assert held_by(admin) == {"admin"}


def test_one_of_two_admins_may_go(admin: User) -> None:
    other = make_person("Anna Other", role="admin")
    held = Membership.objects.get(user=other)

    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    assert held_by(other) == set()


def test_the_last_admin_is_not_deactivated_by_another_role(admin: User) -> None:
    boss = services.create_role(
        actor=actor_of(admin),
        code="personnel",
        name="Personnel",
        grants=[
            services.GrantOfRole(permission="accounts.view_user", scope="organization"),
            services.GrantOfRole(permission="accounts.deactivate_user", scope="organization"),
        ],
    )
    clerk = make_person("Cleo Clerk", role=boss.code)

    with pytest.raises(errors.LastAdmin):
        services.deactivate_person(actor=actor_of(clerk), user_id=admin.pk)
    admin.refresh_from_db()
    assert admin.is_active


def test_a_lead_does_not_end_a_membership_above_the_own_rights(
    lead: User, admin: User, north: Team
) -> None:
    special = services.create_role(
        actor=actor_of(admin),
        code="closer",
        name="Closer",
        grants=[services.GrantOfRole(permission="audit.view_auditentry", scope="own")],
    )
    strong = make_person("Stella Strong", role=special.code, unit=north.unit)
    held = Membership.objects.get(user=strong)

    with pytest.raises(errors.RoleBeyondOwnRights):
        services.revoke_membership(actor=actor_of(lead), membership_id=held.pk)
    assert held_by(strong) == {"closer"}


def test_another_teams_membership_does_not_exist_for_a_lead(lead: User, outsider: User) -> None:
    held = Membership.objects.get(user=outsider)

    with pytest.raises(NotFound):
        services.revoke_membership(actor=actor_of(lead), membership_id=held.pk)
    assert held_by(outsider) == {"salesperson"}


def test_rights_that_ended_meanwhile_do_not_act(admin: User, salesperson: User) -> None:
    other = make_person("Anna Other", role="admin")
    stale = actor_of(other)
    held = Membership.objects.get(user=other)
    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    with pytest.raises((Forbidden, NotFound)):
        services.grant_membership(
            actor=stale, user_id=other.pk, unit_id=root_unit().pk, role="admin"
        )
    assert held_by(other) == set()


def test_many_are_given_in_as_many_statements_as_one(
    north: Team, django_assert_max_num_queries: Any
) -> None:
    people = [make_person(f"Person {number}") for number in range(15)]
    wanted = [
        services.NewMembership(user_id=person.pk, unit_id=north.unit_id, role="salesperson")
        for person in people
    ]
    with django_assert_max_num_queries(14):
        services.grant_memberships(actor=machine(), wanted=wanted)
    assert all(held_by(person) == {"salesperson"} for person in people)


def test_team_leads_hold_whatever_their_salespeople_hold(tenant: Any) -> None:
    """Otherwise a lead could not take anybody into the team."""
    reach = {"own": 0, "unit": 1, "organization": 2}
    scopes = {
        code: {
            row.permission_name(): row.scope
            for row in Role.objects.get(code=code).grants.select_related("permission__content_type")
        }
        for code in ("salesperson", "team_lead")
    }
    missing = [
        permission
        for permission, scope in scopes["salesperson"].items()
        if reach[scopes["team_lead"].get(permission, "own")] < reach[scope]
        or permission not in scopes["team_lead"]
    ]
    assert missing == []
