"""A right that holds only where nobody holds another role, as an admin's to approve exceptions."""

import pytest

from shared_apps.access import errors, services
from shared_apps.access.models import Membership
from shared_apps.access.selectors import administers
from shared_apps.accounts.models import User
from tenant_apps.teams.models import Team
from tests.people import actor_of, make_person

PERMISSION = "teams.change_team"


@pytest.fixture
def deputy(admin: User) -> User:
    role = services.create_role(
        actor=actor_of(admin),
        code="deputy",
        name="Deputy",
        grants=[
            services.GrantOfRole(
                permission=PERMISSION, scope="organization", unless_role="supervisor"
            )
        ],
    )
    return make_person("Dora Deputy", role=role.code)


def test_holds_where_nobody_holds_the_other_role(deputy: User, north: Team) -> None:
    actor = actor_of(deputy)

    assert actor.allows(PERMISSION)
    assert actor.allows(PERMISSION, north)
    assert list(actor.visible(Team.objects.all(), PERMISSION)) == [north]


def test_ends_when_somebody_holds_it(deputy: User, supervisor: User, north: Team) -> None:
    actor = actor_of(deputy)

    assert not actor.allows(PERMISSION)
    assert not actor.allows(PERMISSION, north)
    assert not actor.allows(PERMISSION, Team(name="Draft", unit=north.unit))
    assert not actor.visible(Team.objects.all(), PERMISSION).exists()


def test_returns_when_the_other_goes(
    deputy: User, supervisor: User, admin: User, north: Team
) -> None:
    held = Membership.objects.get(user=supervisor)
    services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)

    assert actor_of(deputy).allows(PERMISSION, north)


def test_a_deactivated_holder_does_not_count(
    deputy: User, supervisor: User, admin: User, north: Team
) -> None:
    services.deactivate_person(actor=actor_of(admin), user_id=supervisor.pk)

    assert actor_of(deputy).allows(PERMISSION, north)


def test_holds_outside_the_units_of_the_other_role(admin: User, north: Team, south: Team) -> None:
    services.create_role(actor=actor_of(admin), code="chief", name="Chief", grants=[])
    role = services.create_role(
        actor=actor_of(admin),
        code="deputy",
        name="Deputy",
        grants=[
            services.GrantOfRole(permission=PERMISSION, scope="organization", unless_role="chief")
        ],
    )
    make_person("Carl Chief", role="chief", unit=north.unit)
    actor = actor_of(make_person("Dora Deputy", role=role.code))

    assert actor.allows(PERMISSION)
    assert not actor.allows(PERMISSION, north)
    assert list(actor.visible(Team.objects.all(), PERMISSION)) == [south]


def test_a_conditional_administrator_proves_a_second_factor(admin: User) -> None:
    role = services.create_role(
        actor=actor_of(admin),
        code="standby",
        name="Standby",
        grants=[
            services.GrantOfRole(
                permission="accounts.deactivate_user",
                scope="organization",
                unless_role="supervisor",
            )
        ],
    )
    person = make_person("Stan Standby", role=role.code)

    assert administers(user_id=person.pk)


def test_a_conditional_admin_is_no_admin_to_remain(admin: User) -> None:
    role = services.create_role(
        actor=actor_of(admin),
        code="standby",
        name="Standby",
        grants=[
            services.GrantOfRole(
                permission="access.change_membership",
                scope="organization",
                unless_role="supervisor",
            )
        ],
    )
    make_person("Stan Standby", role=role.code)
    held = Membership.objects.get(user=admin)

    with pytest.raises(errors.LastAdmin):
        services.revoke_membership(actor=actor_of(admin), membership_id=held.pk)
