"""Founding, changing, leading and closing teams."""

from typing import Any

import pytest

from shared_apps.access import errors as access_errors
from shared_apps.access import services as access
from shared_apps.access.models import Membership, Unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound, PreconditionFailed, RuleRefused
from tenant_apps.teams import errors, services
from tenant_apps.teams.models import Team
from tests.people import actor_of, make_person, make_team


def is_lead(person: User, team: Team) -> bool:
    return Membership.objects.filter(
        user=person, unit=team.unit, role__code="team_lead", is_active=True
    ).exists()


def test_a_team_stands_below_its_office(admin: User) -> None:
    office = services.create_team(actor=actor_of(admin), name="Nairobi")
    team = services.create_team(actor=actor_of(admin), name="Westlands", parent_id=office.pk)

    assert office.unit.contains(team.unit)
    assert AuditEntry.objects.filter(event_name="teams.team_created").count() == 2


def test_only_admins_found_teams(lead: User, supervisor: User, salesperson: User) -> None:
    for person in (lead, supervisor, salesperson):
        with pytest.raises(Forbidden):
            services.create_team(actor=actor_of(person), name="Mine")
    assert not Team.objects.filter(name="Mine").exists()


def test_refuses_a_taken_name(admin: User, north: Team) -> None:
    with pytest.raises(errors.TeamNameTaken):
        services.create_team(actor=actor_of(admin), name="North")


def test_the_lead_leads_by_a_membership(admin: User, north: Team) -> None:
    person = make_person("Lena Lead")

    services.appoint_lead(actor=actor_of(admin), team_id=north.pk, user_id=person.pk)

    assert is_lead(person, north)
    assert actor_of(person).allows("teams.manage_members", north)


def test_a_new_lead_replaces_the_former(admin: User, lead: User, north: Team) -> None:
    person = make_person("Lena Lead")

    team = services.appoint_lead(actor=actor_of(admin), team_id=north.pk, user_id=person.pk)

    assert team.lead_id == person.pk
    assert is_lead(person, north)
    assert not is_lead(lead, north)
    assert not actor_of(lead).allows("teams.manage_members", north)


def test_nobody_appoints_the_own_person_but_admins(lead: User, south: Team) -> None:
    with pytest.raises(Forbidden):
        services.appoint_lead(actor=actor_of(lead), team_id=south.pk, user_id=lead.pk)
    assert not is_lead(lead, south)


def test_a_right_to_change_teams_is_no_right_to_give_roles(admin: User, south: Team) -> None:
    role = access.create_role(
        actor=actor_of(admin),
        code="organizer",
        name="Organizer",
        grants=[
            access.GrantOfRole(permission=name, scope="organization")
            for name in ("teams.view_team", "teams.change_team", "accounts.view_user")
        ],
    )
    person = make_person("Olaf Organizer", role=role.code)

    with pytest.raises(Forbidden):
        services.appoint_lead(actor=actor_of(person), team_id=south.pk, user_id=person.pk)
    assert not is_lead(person, south)


def test_ending_the_leads_membership_leaves_the_team_without(
    admin: User, lead: User, north: Team
) -> None:
    held = Membership.objects.get(user=lead)
    access.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    north.refresh_from_db()
    assert north.lead_id is None


def test_a_team_moves_with_everything_below(admin: User, north: Team, south: Team) -> None:
    inner = make_team("Inner", parent=north)

    services.change_team(actor=actor_of(admin), team_id=north.pk, changes={"parent_id": south.pk})

    path = Unit.objects.get(pk=south.unit_id).path
    for team in (north, inner):
        assert Unit.objects.get(pk=team.unit_id).path.startswith(path)


def test_a_team_does_not_move_below_itself(admin: User, north: Team) -> None:
    inner = make_team("Inner", parent=north)
    before = list(Unit.objects.order_by("pk").values_list("path", flat=True))

    with pytest.raises(RuleRefused):
        services.change_team(
            actor=actor_of(admin), team_id=north.pk, changes={"parent_id": inner.pk}
        )
    assert list(Unit.objects.order_by("pk").values_list("path", flat=True)) == before


def test_a_tree_has_a_depth(admin: User) -> None:

    parent = None
    with pytest.raises(access_errors.TreeTooDeep):
        for level in range(20):
            parent = make_team(f"Level {level}", parent=parent)
    assert Team.objects.count() < 10


def test_refuses_a_stale_version(admin: User, north: Team) -> None:
    with pytest.raises(PreconditionFailed):
        services.change_team(
            actor=actor_of(admin), team_id=north.pk, changes={"name": "X"}, expected_version=7
        )
    north.refresh_from_db()
    assert north.name == "North"


def test_an_empty_team_closes_and_frees_its_name(admin: User, south: Team) -> None:
    services.close_team(actor=actor_of(admin), team_id=south.pk)

    services.create_team(actor=actor_of(admin), name="South")
    with pytest.raises(errors.TeamClosed):
        services.close_team(actor=actor_of(admin), team_id=south.pk)


def test_a_team_with_people_stays(admin: User, salesperson: User, north: Team) -> None:
    with pytest.raises(errors.TeamNotEmpty):
        services.close_team(actor=actor_of(admin), team_id=north.pk)
    north.refresh_from_db()
    assert north.is_open


class TestMembers:
    """A lead runs the own team's members and nobody else's."""

    def test_a_lead_takes_in_and_lets_go(self, lead: User, north: Team) -> None:
        newcomer = make_person("Nora New")
        services.add_member(actor=actor_of(lead), team_id=north.pk, user_id=newcomer.pk)
        assert actor_of(newcomer).roles == ("salesperson",)

        services.remove_member(actor=actor_of(lead), team_id=north.pk, user_id=newcomer.pk)
        assert actor_of(newcomer).roles == ()

    def test_not_in_another_team(self, lead: User, south: Team, outsider: User) -> None:
        newcomer = make_person("Nora New")
        for act in (
            lambda: services.add_member(
                actor=actor_of(lead), team_id=south.pk, user_id=newcomer.pk
            ),
            lambda: services.remove_member(
                actor=actor_of(lead), team_id=south.pk, user_id=outsider.pk
            ),
        ):
            with pytest.raises((Forbidden, NotFound)):
                act()
        assert actor_of(outsider).roles == ("salesperson",)
        assert actor_of(newcomer).roles == ()

    @pytest.mark.parametrize("role", ["admin", "supervisor", "verifier", "team_lead"])
    def test_not_in_a_higher_role(self, role: str, lead: User, north: Team) -> None:
        newcomer = make_person("Nora New")
        with pytest.raises(
            (access_errors.RoleBeyondOwnRights, access_errors.RoleNeedsRoot, RuleRefused)
        ):
            services.add_member(
                actor=actor_of(lead), team_id=north.pk, user_id=newcomer.pk, role=role
            )
        assert actor_of(newcomer).roles == ()

    def test_the_lead_does_not_leave_as_a_member(
        self, admin: User, lead: User, north: Team
    ) -> None:
        with pytest.raises(errors.LeadStays):
            services.remove_member(actor=actor_of(admin), team_id=north.pk, user_id=lead.pk)

    def test_a_stranger_is_no_member(self, admin: User, outsider: User, north: Team) -> None:
        with pytest.raises(errors.NotAMember):
            services.remove_member(actor=actor_of(admin), team_id=north.pk, user_id=outsider.pk)

    def test_a_salesperson_manages_nobody(
        self, salesperson: User, north: Team, tenant: Any
    ) -> None:
        newcomer = make_person("Nora New")
        with pytest.raises(Forbidden):
            services.add_member(actor=actor_of(salesperson), team_id=north.pk, user_id=newcomer.pk)
        assert actor_of(newcomer).roles == ()
