"""Who sees and reaches what, by scope and unit."""

from typing import Any

from shared_apps.access import services
from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from tenant_apps.teams import selectors as teams
from tenant_apps.teams.models import Team
from tests.people import actor_of, machine, make_person, make_team


def test_an_organization_wide_role_reaches_every_row(admin: User, north: Team, south: Team) -> None:
    actor = actor_of(admin)

    assert set(teams.teams_visible_to(actor)) == {north, south}
    assert actor.allows("teams.change_team", north)


def test_a_units_role_reaches_the_unit_and_below(lead: User, north: Team, south: Team) -> None:
    inner = make_team("North East", parent=north)
    actor = actor_of(lead)

    assert actor.allows("teams.manage_members", north)
    assert actor.allows("teams.manage_members", inner)
    assert not actor.allows("teams.manage_members", south)


def test_one_units_role_does_not_leak_into_another(lead: User, south: Team) -> None:
    services.grant_membership(
        actor=machine(), user_id=lead.pk, unit_id=south.unit_id, role="salesperson"
    )
    actor = actor_of(lead)

    assert not actor.allows("teams.manage_members", south)
    assert "salesperson" in actor.roles


def test_an_ended_membership_gives_nothing(lead: User, north: Team) -> None:
    held = Membership.objects.get(user=lead)
    services.revoke_membership(actor=machine(), membership_id=held.pk)
    actor = actor_of(lead)

    assert actor.roles == ()
    assert not actor.allows("teams.view_team")
    assert not teams.teams_visible_to(actor).exists()


def test_a_deactivated_person_has_nothing(admin: User, lead: User, north: Team) -> None:
    services.deactivate_person(actor=actor_of(admin), user_id=lead.pk)

    assert actor_of(lead).roles == ()


def test_own_rows_are_reached_wherever_they_stand(salesperson: User, outsider: User) -> None:
    actor = actor_of(salesperson)

    assert actor.allows("accounts.view_user", salesperson)
    assert not actor.allows("accounts.view_user", outsider)


def test_a_row_that_is_not_stored_is_judged_by_its_values(
    lead: User, admin: User, north: Team, south: Team
) -> None:
    inside = Team(name="Draft", unit=north.unit)
    outside = Team(name="Draft", unit=south.unit)

    assert actor_of(lead).allows("teams.manage_members", inside)
    assert not actor_of(lead).allows("teams.manage_members", outside)
    assert actor_of(admin).allows("teams.manage_members", outside)


def test_a_person_without_memberships_sees_nothing(tenant: Any, north: Team) -> None:
    stranger = actor_of(make_person("Nils Nobody"))

    assert not teams.teams_visible_to(stranger).exists()
    assert not stranger.allows("teams.view_team", north)
    assert not stranger.allows("accounts.view_user", User.objects.get(pk=stranger.user_id))


def test_the_rights_of_a_request_take_one_statement(
    admin: User, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(1):
        actor = actor_of(admin)
    assert "admin" in actor.roles


def test_a_check_of_a_stored_row_takes_one_statement(
    lead: User, north: Team, django_assert_num_queries: Any
) -> None:
    actor = actor_of(lead)
    with django_assert_num_queries(1):
        assert actor.allows("teams.manage_members", north)
