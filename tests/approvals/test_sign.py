"""Signing: who may, what the signature covers, and when it takes effect."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.access import services as access
from shared_apps.access.models import Membership
from shared_apps.access.selectors import root_unit
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import Forbidden, NotFound
from tenant_apps.approvals import errors, registry, services
from tenant_apps.approvals.models import Approval, ApprovalState, Signature
from tenant_apps.teams.models import Team
from tests.approvals.conftest import ACTION, Effects
from tests.people import actor_of, machine, make_person, make_team


@pytest.fixture
def asked(north: Team, salesperson: User, effects: Effects) -> Approval:
    return services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))


def assert_untouched(approval: Approval, effects: Effects) -> None:
    approval.refresh_from_db()
    assert approval.state == ApprovalState.PENDING
    assert not Signature.objects.exists()
    assert effects.done == []


def test_the_last_signature_takes_effect_on_behalf_of_the_maker(
    asked: Approval, admin: User, salesperson: User, effects: Effects
) -> None:
    approval = services.sign(approval_id=asked.pk, actor=actor_of(admin), comment="Fine.")

    assert approval.state == ApprovalState.APPROVED
    assert approval.closed_by_id == admin.pk
    [(subject_id, actor)] = effects.done
    assert subject_id == asked.subject_id
    assert actor.user_id == admin.pk
    assert actor.on_behalf_of == salesperson.pk
    signature = Signature.objects.get()
    assert (signature.signer_id, signature.comment) == (admin.pk, "Fine.")
    assert signature.content_hash == asked.content_hash


def test_every_act_is_recorded(asked: Approval, admin: User) -> None:
    services.sign(approval_id=asked.pk, actor=actor_of(admin))

    names = AuditEntry.objects.filter(subject_id=asked.pk).order_by("id")
    assert list(names.values_list("event_name", flat=True)) == [
        "approvals.approval_submitted",
        "approvals.approval_signed",
        "approvals.approval_given",
    ]


def test_refuses_the_maker(north: Team, admin: User, effects: Effects) -> None:
    approval = services.submit(subject=north, action=ACTION, actor=actor_of(admin))

    with pytest.raises(errors.MakerCannotSign):
        services.sign(approval_id=approval.pk, actor=actor_of(admin))
    assert_untouched(approval, effects)


def test_refuses_the_owner_of_the_subject(
    north: Team, lead: User, salesperson: User, effects: Effects
) -> None:
    north.refresh_from_db()
    access.grant_membership(actor=machine(), user_id=lead.pk, unit_id=root_unit().pk, role="admin")
    approval = services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    with pytest.raises(errors.MakerCannotSign):
        services.sign(approval_id=approval.pk, actor=actor_of(lead))
    assert_untouched(approval, effects)


def test_refuses_whoever_made_the_subject(admin: User, salesperson: User, effects: Effects) -> None:
    team = make_team("West")
    Team.objects.filter(pk=team.pk).update(created_by_id=admin.pk)
    approval = services.submit(subject=team, action=ACTION, actor=actor_of(salesperson))

    with pytest.raises(errors.MakerCannotSign):
        services.sign(approval_id=approval.pk, actor=actor_of(admin))
    assert_untouched(approval, effects)


def test_refuses_whoever_sees_it_without_the_permission(
    asked: Approval, supervisor: User, effects: Effects
) -> None:
    with pytest.raises(Forbidden, match=r"teams\.change_team"):
        services.sign(approval_id=asked.pk, actor=actor_of(supervisor))
    assert_untouched(asked, effects)


def test_does_not_exist_for_strangers(asked: Approval, outsider: User, effects: Effects) -> None:
    with pytest.raises(NotFound):
        services.sign(approval_id=asked.pk, actor=actor_of(outsider))
    assert_untouched(asked, effects)


def test_refuses_the_system(asked: Approval, effects: Effects) -> None:
    with pytest.raises(errors.SignerUnknown):
        services.sign(approval_id=asked.pk, actor=machine())
    assert_untouched(asked, effects)


def test_refuses_rights_that_ended_after_the_request_began(
    asked: Approval, admin: User, effects: Effects
) -> None:
    make_person("Anna Other", role="admin")
    stale = actor_of(admin)
    held = Membership.objects.get(user=admin)
    access.revoke_membership(actor=machine(), membership_id=held.pk)

    with pytest.raises((Forbidden, NotFound)):
        services.sign(approval_id=asked.pk, actor=stale)
    assert_untouched(asked, effects)


def test_refuses_changed_content_and_names_the_fields(
    asked: Approval, admin: User, effects: Effects
) -> None:
    Team.objects.filter(pk=asked.subject_id).update(name="Renamed meanwhile")

    with pytest.raises(errors.ContentChanged) as refused:
        services.sign(approval_id=asked.pk, actor=actor_of(admin))
    assert refused.value.extra == {"fields": ["name"]}
    assert_untouched(asked, effects)


def test_refuses_a_closed_request(asked: Approval, admin: User, effects: Effects) -> None:
    services.sign(approval_id=asked.pk, actor=actor_of(admin))

    with pytest.raises(errors.ApprovalClosed):
        services.sign(approval_id=asked.pk, actor=actor_of(admin))
    assert len(effects.done) == 1


def test_two_signatures_come_from_two_people(
    asked: Approval, admin: User, effects: Effects
) -> None:
    Approval.objects.filter(pk=asked.pk).update(required_signatures=2)
    other = make_person("Anna Other", role="admin")

    services.sign(approval_id=asked.pk, actor=actor_of(admin))
    assert effects.done == []
    with pytest.raises(errors.AlreadySigned):
        services.sign(approval_id=asked.pk, actor=actor_of(admin))
    assert effects.done == []

    services.sign(approval_id=asked.pk, actor=actor_of(other))
    assert len(effects.done) == 1


def test_an_effect_that_fails_undoes_the_signature(
    north: Team, salesperson: User, admin: User, effects: Effects
) -> None:
    def fail(approvals: Any, *, actor: Any) -> None:
        raise Forbidden("No money.")

    registry.unregister("teams.team", ACTION)
    registry.register(
        "teams.team",
        ACTION,
        content=lambda team: {"name": team.name},
        permission="teams.change_team",
        effect_all=fail,
    )
    approval = services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))

    with pytest.raises(Forbidden, match="No money"):
        services.sign(approval_id=approval.pk, actor=actor_of(admin))
    assert_untouched(approval, effects)


def test_many_are_signed_in_as_many_statements_as_one(
    salesperson: User, admin: User, effects: Effects
) -> None:
    def sign_a_batch(prefix: str, size: int) -> int:
        teams = [make_team(f"{prefix} {number}") for number in range(size)]
        asked = services.submit_all(subjects=teams, action=ACTION, actor=actor_of(salesperson))
        with CaptureQueriesContext(connection) as statements:
            services.sign_all(approval_ids=[row.pk for row in asked], actor=actor_of(admin))
        return len(statements)

    assert sign_a_batch("one", 1) == sign_a_batch("many", 12)
    assert len(effects.done) == 13


def test_one_refusal_refuses_the_batch(
    asked: Approval, admin: User, south: Team, effects: Effects
) -> None:
    own = services.submit(subject=south, action=ACTION, actor=actor_of(admin))

    with pytest.raises(errors.MakerCannotSign):
        services.sign_all(approval_ids=[asked.pk, own.pk], actor=actor_of(admin))
    assert_untouched(asked, effects)
