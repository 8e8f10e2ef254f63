"""Approvals through the API."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts.models import User
from tenant_apps.approvals import services
from tenant_apps.approvals.models import Approval
from tenant_apps.teams.models import Team
from tests.approvals.conftest import ACTION, Effects
from tests.people import actor_of, client_of, make_team

APPROVALS = "/api/v1/approvals/"


@pytest.fixture
def asked(north: Team, salesperson: User, effects: Effects) -> Approval:
    return services.submit(subject=north, action=ACTION, actor=actor_of(salesperson))


def sign(client: Any, approval: Approval, **headers: str) -> Any:
    headers = headers or {"HTTP_IDEMPOTENCY_KEY": str(uuid4())}
    return client.post(f"{APPROVALS}{approval.pk}/signature/", {"comment": "Yes."}, **headers)


def test_a_signature_is_shown_with_its_approval(asked: Approval, admin: User) -> None:
    answer = sign(client_of(admin), asked)

    assert answer.status_code == 201
    shown = answer.json()
    assert shown["state"] == "approved"
    assert [signature["signer_id"] for signature in shown["signatures"]] == [str(admin.pk)]


def test_a_signature_demands_a_key_and_counts_once(
    asked: Approval, admin: User, effects: Effects
) -> None:
    client = client_of(admin)
    without = client.post(f"{APPROVALS}{asked.pk}/signature/", {})
    assert without.json()["code"] == "idempotency_key_required"

    key = {"HTTP_IDEMPOTENCY_KEY": "the-same-key"}
    first, second = sign(client, asked, **key), sign(client, asked, **key)

    assert first.status_code == second.status_code == 201
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(effects.done) == 1


def test_what_was_edited_after_submission_is_refused_by_name(
    asked: Approval, admin: User, effects: Effects
) -> None:
    Team.objects.filter(pk=asked.subject_id).update(name="Edited")

    answer = sign(client_of(admin), asked)

    assert answer.status_code == 409
    assert answer.json()["code"] == "approval_content_changed"
    assert answer.json()["fields"] == ["name"]
    assert effects.done == []


def test_a_rehearsed_signature_leaves_nothing(asked: Approval, admin: User) -> None:
    answer = client_of(admin).post(
        f"{APPROVALS}{asked.pk}/signature/?dry_run=true",
        {},
        HTTP_IDEMPOTENCY_KEY=str(uuid4()),
    )

    assert answer.json()["state"] == "approved"
    asked.refresh_from_db()
    assert asked.state == "pending"
    assert not asked.signatures.exists()


def test_a_signer_is_never_named_in_the_body(asked: Approval, admin: User) -> None:
    answer = client_of(admin).post(
        f"{APPROVALS}{asked.pk}/signature/",
        {"signer_id": str(uuid4()), "level": 9},
        HTTP_IDEMPOTENCY_KEY=str(uuid4()),
    )

    assert answer.status_code == 400
    assert not asked.signatures.exists()


def test_a_rejection_says_why(asked: Approval, admin: User) -> None:
    client = client_of(admin)
    assert client.post(f"{APPROVALS}{asked.pk}/rejection/", {}).status_code == 400

    answer = client.post(f"{APPROVALS}{asked.pk}/rejection/", {"remark": "Too soon."})
    assert answer.json()["remark"] == "Too soon."


def test_the_list_does_not_grow_in_statements(
    asked: Approval, salesperson: User, admin: User
) -> None:
    client = client_of(admin)

    def statements() -> int:
        client.get(APPROVALS)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(APPROVALS).status_code == 200
        return len(seen)

    few = statements()
    for number in range(10):
        team = make_team(f"Team {number}")
        row = services.submit(subject=team, action=ACTION, actor=actor_of(salesperson))
        services.sign(approval_id=row.pk, actor=actor_of(admin))
    assert statements() == few
