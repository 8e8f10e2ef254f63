"""Invitations: named first, let in by the link."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.core import mail

from shared_apps.accounts import services
from shared_apps.accounts.errors import AlreadyActivated, EmailTaken
from shared_apps.accounts.models import User
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD


@pytest.fixture
def invite(tenant: Any, manager: Actor, django_capture_on_commit_callbacks: Any) -> Any:
    """Invite Dora; answers the token that was mailed to her."""

    def run() -> str:
        with django_capture_on_commit_callbacks(execute=True):
            services.invite_user(
                email="Dora@acme.example", full_name="Dora Newcomer", actor=manager
            )
        return last_token()

    return run


def last_token() -> str:
    found = re.search(r"#token=(\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return unquote(found.group(1))


def dora() -> User:
    found: User = User.objects.with_email("dora@acme.example").get()
    return found


def accept(token: str, host: str = "acme.kontor.test", **more: Any) -> Any:
    body = {"token": token, "password": PASSWORD, **more}
    return HostClient(host).post("/api/v1/invitations/acceptance/", body)


def test_lets_the_person_in_with_a_first_session(invite: Any) -> None:
    token = invite()
    assert not dora().is_active
    answer = accept(token, full_name="Dora D. Newcomer")

    assert answer.status_code == 201, answer.content
    assert dora().is_active
    assert dora().full_name == "Dora D. Newcomer"
    me = HostClient().carrying(answer.json()["access"]).get("/api/v1/profile/")
    assert me.json()["email"] == "dora@acme.example"


def test_mails_a_link_to_the_organizations_own_host(invite: Any) -> None:
    invite()

    assert "http://acme.kontor.test/accept-invitation#token=" in mail.outbox[-1].body
    assert mail.outbox[-1].to == ["dora@acme.example"]


def test_does_not_let_in_before(invite: Any) -> None:
    invite()
    answer = HostClient().post("/api/token/", {"email": "dora@acme.example", "password": "x"})

    assert answer.status_code == 401


def test_works_once(invite: Any) -> None:
    token = invite()
    accept(token)

    assert accept(token).status_code == 400


def test_expires_after_seven_days(invite: Any) -> None:
    token = invite()
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        assert accept(token).status_code == 400
    assert not dora().is_active


def test_is_refused_next_door(invite: Any, neighbour: Any) -> None:
    assert accept(invite(), "neighbour.kontor.test").status_code == 400


def test_stays_good_when_the_password_was_too_weak(invite: Any) -> None:
    token = invite()
    weak = HostClient().post(
        "/api/v1/invitations/acceptance/", {"token": token, "password": "weak"}
    )

    assert weak.json()["code"] == "password_too_weak"
    assert weak.json()["errors"][0]["pointer"] == "/password"
    assert accept(token).status_code == 201


def test_ends_when_it_is_sent_again(
    invite: Any, manager: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    first = invite()
    with django_capture_on_commit_callbacks(execute=True):
        services.resend_invitation(user_id=dora().id, actor=manager)

    assert accept(first).status_code == 400
    assert accept(last_token()).status_code == 201


def test_ends_when_it_is_withdrawn(invite: Any, manager: Actor) -> None:
    token = invite()
    services.withdraw_invitation(user_id=dora().id, actor=manager)

    assert accept(token).status_code == 400


def test_ends_when_the_person_is_deactivated(invite: Any, manager: Actor) -> None:
    token = invite()
    services.deactivate_user(user_id=dora().id, actor=manager)

    assert accept(token).status_code == 400
    services.reactivate_user(user_id=dora().id, actor=manager)
    assert not dora().is_active
    assert accept(token).status_code == 400


def test_is_not_sent_to_somebody_who_is_there(alice: User, manager: Actor) -> None:
    with pytest.raises(EmailTaken):
        services.invite_user(email="ALICE@acme.example", full_name="Twin", actor=manager)
    with pytest.raises(AlreadyActivated):
        services.resend_invitation(user_id=alice.id, actor=manager)


def test_needs_the_right_to(tenant: Any, visitor: Actor) -> None:
    with pytest.raises(Forbidden):
        services.invite_user(email="dora@acme.example", full_name="Dora", actor=visitor)

    assert not User.objects.with_email("dora@acme.example").exists()
    assert mail.outbox == []
