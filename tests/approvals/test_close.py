"""Rejecting and recalling."""

import pytest

from shared_apps.accounts.models import User
from shared_apps.kernel.errors import Forbidden
from tenant_apps.approvals import errors, services
from tenant_apps.approvals.models import Approval, ApprovalState
from tenant_apps.teams.models import Team
from tests.approvals.conftest import ACTION, Effects
from tests.people import actor_of


@pytest.fixture
def asked(north: Team, salesperson: User, effects: Effects) -> Approval:
    return services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))


def test_a_rejection_closes_the_request_and_tells_its_app(
    asked: Approval, admin: User, effects: Effects
) -> None:
    approval = services.reject(approval_id=asked.pk, actor=actor_of(admin), remark="No.")

    assert (approval.state, approval.remark) == (ApprovalState.REJECTED, "No.")
    assert effects.declined == [(asked.subject_id, "rejected")]
    assert effects.done == []


def test_the_maker_does_not_reject(north: Team, admin: User, effects: Effects) -> None:
    asked = services.submit(subject=north, action=ACTION, actor=actor_of(admin))

    with pytest.raises(errors.MakerCannotSign):
        services.reject(approval_id=asked.pk, actor=actor_of(admin), remark="No.")
    assert effects.declined == []


def test_rejecting_takes_the_permission(
    asked: Approval, supervisor: User, effects: Effects
) -> None:
    with pytest.raises(Forbidden):
        services.reject(approval_id=asked.pk, actor=actor_of(supervisor), remark="No.")
    assert effects.declined == []


def test_the_maker_recalls(asked: Approval, salesperson: User, effects: Effects) -> None:
    approval = services.recall(approval_id=asked.pk, actor=actor_of(salesperson))

    assert approval.state == ApprovalState.RECALLED
    assert effects.declined == [(asked.subject_id, "recalled")]
    assert effects.locked_above == [{asked.subject_id}]


def test_nobody_else_recalls(asked: Approval, admin: User, effects: Effects) -> None:
    with pytest.raises(errors.NotTheMaker):
        services.recall(approval_id=asked.pk, actor=actor_of(admin))
    assert effects.declined == []


def test_what_is_closed_stays_closed(
    asked: Approval, admin: User, salesperson: User, effects: Effects
) -> None:
    services.recall(approval_id=asked.pk, actor=actor_of(salesperson))

    with pytest.raises(errors.ApprovalClosed):
        services.sign(approval_id=asked.pk, actor=actor_of(admin))
    with pytest.raises(errors.ApprovalClosed):
        services.recall(approval_id=asked.pk, actor=actor_of(salesperson))
    assert effects.done == []
