"""Asking for signatures."""

import pytest

from shared_apps.access import services as access
from shared_apps.access.models import Membership
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden
from tenant_apps.approvals import errors, services
from tenant_apps.approvals.models import Approval, ApprovalState
from tenant_apps.approvals.selectors import approvals_visible_to
from tenant_apps.teams.models import Team
from tests.approvals.conftest import ACTION, Effects
from tests.people import actor_of, machine


def test_stands_where_its_subject_stands(
    north: Team, lead: User, salesperson: User, effects: Effects
) -> None:
    north.refresh_from_db()
    approval = services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    assert approval.unit_id == north.unit_id
    assert approval.owner_id == lead.pk
    assert approval.maker_id == salesperson.pk


def test_refuses_the_same_content_twice(north: Team, salesperson: User, effects: Effects) -> None:
    services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    with pytest.raises(errors.AlreadySubmitted):
        services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))
    assert Approval.objects.count() == 1


def test_changed_content_voids_the_former_request_and_says_which_field(
    north: Team, salesperson: User, effects: Effects
) -> None:
    former = services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))
    north.name = "New North"

    services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    former.refresh_from_db()
    assert former.state == ApprovalState.VOIDED
    voided = AuditEntry.objects.get(event_name="approvals.approval_voided")
    assert voided.payload["fields"] == ["name"]


def test_only_the_system_names_another_maker(
    north: Team, south: Team, salesperson: User, outsider: User, effects: Effects
) -> None:
    with pytest.raises(Forbidden):
        services.submit(
            subject=north, action=ACTION, actor=actor_of(salesperson), maker_id=outsider.pk
        )
    asked = services.submit(subject=south, action=ACTION, actor=machine(), maker_id=outsider.pk)
    assert asked.maker_id == outsider.pk


def test_is_gone_for_a_maker_without_any_role(
    north: Team, salesperson: User, effects: Effects
) -> None:
    services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))
    held = Membership.objects.get(user=salesperson)
    access.revoke_membership(actor=machine(), membership_id=held.pk)

    assert not approvals_visible_to(actor_of(salesperson)).exists()


def test_is_seen_by_the_maker_the_unit_and_the_organization(
    north: Team,
    lead: User,
    salesperson: User,
    outsider: User,
    verifier: User,
    effects: Effects,
) -> None:
    asked = services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    for person in (salesperson, lead, verifier):
        assert list(approvals_visible_to(actor_of(person))) == [asked]
    assert not approvals_visible_to(actor_of(outsider)).exists()
