"""Rights of one person on one record."""

from typing import Any

import pytest

from shared_apps.access import errors, services
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.deals.models import Deal, DealGrant
from tenant_apps.teams import services as teams
from tenant_apps.teams.models import Team
from tests.people import actor_of, machine, make_person

VIEW = "deals.view_deal"


@pytest.fixture
def deal(north: Team, salesperson: User) -> Deal:
    return Deal.objects.create(
        reference="DLID9001", owner=salesperson, unit=north.unit, currency="KES"
    )


def share(by: User, to: User, deal: Deal, permission: str = VIEW) -> Any:
    return services.grant_object(
        actor=actor_of(by), user_id=to.pk, permission=permission, subject=deal
    )


def test_opens_one_record_to_one_person(admin: User, outsider: User, deal: Deal) -> None:
    other = Deal.objects.create(
        reference="DLID9002", owner=deal.owner, unit=deal.unit, currency="KES"
    )
    assert not actor_of(outsider).allows(VIEW, deal)

    share(admin, outsider, deal)

    actor = actor_of(outsider)
    assert actor.allows(VIEW, deal)
    assert not actor.allows("deals.change_deal", deal)
    assert not actor.allows(VIEW, other)
    assert deal in actor.visible(Deal.objects.all(), VIEW)


def test_ends_when_it_is_taken_back(admin: User, outsider: User, deal: Deal) -> None:
    grant = share(admin, outsider, deal)

    services.revoke_object(actor=actor_of(admin), grant_id=grant.pk)

    assert not actor_of(outsider).allows(VIEW, deal)
    names = AuditEntry.objects.filter(subject_id=grant.pk).order_by("id")
    assert list(names.values_list("event_name", flat=True)) == [
        "access.object_granted",
        "access.object_grant_revoked",
    ]


def test_a_lead_shares_what_the_lead_holds(lead: User, outsider: User, deal: Deal) -> None:
    share(lead, outsider, deal, "deals.change_deal")

    assert actor_of(outsider).allows("deals.change_deal", deal)


def test_a_lead_does_not_share_another_teams_record(
    lead: User, outsider: User, south: Team
) -> None:
    foreign = Deal.objects.create(
        reference="DLID9003", owner=outsider, unit=south.unit, currency="KES"
    )
    with pytest.raises(Forbidden):
        share(lead, make_person("Nora New"), foreign)
    assert not DealGrant.objects.exists()


def test_a_right_that_the_giver_does_not_hold_is_not_given(
    lead: User, outsider: User, deal: Deal
) -> None:
    with pytest.raises(errors.GrantBeyondOwnRights):
        share(lead, outsider, deal, "deals.delete_deal")
    assert not DealGrant.objects.exists()


def test_nobody_but_an_admin_gives_to_the_own_person(
    lead: User, supervisor: User, deal: Deal
) -> None:
    for person in (lead, supervisor):
        with pytest.raises(errors.OwnRights):
            share(person, person, deal, "deals.change_deal")
    assert not DealGrant.objects.exists()


def test_an_admin_who_gives_to_the_own_person_is_marked(admin: User, deal: Deal) -> None:
    share(admin, admin, deal, "deals.change_deal")

    entry = AuditEntry.objects.get(event_name="access.object_granted")
    assert entry.payload["to_self"] is True


def test_a_salesperson_shares_nothing(salesperson: User, outsider: User, deal: Deal) -> None:
    with pytest.raises((Forbidden, NotFound)):
        share(salesperson, outsider, deal)
    assert not DealGrant.objects.exists()


@pytest.mark.parametrize(
    "permission", ["parties.view_party", "deals.view_dealactivity", "deals.nonsense", "view_deal"]
)
def test_refuses_a_right_on_something_else(
    permission: str, admin: User, outsider: User, deal: Deal
) -> None:
    with pytest.raises(errors.PermissionNotGrantable):
        share(admin, outsider, deal, permission)


def test_refuses_records_that_are_not_shared(admin: User, outsider: User, north: Team) -> None:
    with pytest.raises(errors.PermissionNotGrantable):
        services.grant_object(
            actor=actor_of(admin),
            user_id=outsider.pk,
            permission="teams.view_team",
            subject=north,
        )


def test_refuses_the_same_twice(admin: User, outsider: User, deal: Deal) -> None:
    share(admin, outsider, deal)
    with pytest.raises(errors.AlreadyGranted):
        share(admin, outsider, deal)


def test_somebody_elses_grant_does_not_exist(
    admin: User, outsider: User, supervisor: User, south: Team, deal: Deal
) -> None:

    grant = share(admin, outsider, deal)
    other = make_person("Lou Lead")
    teams.appoint_lead(actor=machine(), team_id=south.pk, user_id=other.pk)

    with pytest.raises(NotFound):
        services.revoke_object(actor=actor_of(other), grant_id=grant.pk)
    assert DealGrant.objects.filter(pk=grant.pk).exists()
