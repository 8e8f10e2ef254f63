"""Passwords: changed by who knows the old one, reset by who reads the mail."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from shared_apps.accounts import services
from shared_apps.accounts.models import OneTimeSecret, Session, User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tests.accounts.clients import HostClient
from tests.accounts.people import OTHER_PASSWORD, PASSWORD, make_user

CONFIRM = "/api/auth/password/reset/confirm/"


def ask(client: HostClient, email: str) -> Any:
    return client.post("/api/auth/password/reset/", {"email": email})


def mailed_token(capture: Any) -> str:
    """What the newest mail's link carries, after the outbox has been relayed."""
    with capture(execute=True):
        relay_due()
    found = re.search(r"#token=(\S+)", str(mail.outbox[-1].body))
    assert found is not None
    from urllib.parse import unquote

    return unquote(found.group(1))


def confirm(client: HostClient, token: str, password: str = OTHER_PASSWORD) -> Any:
    body = {"token": token, "new_password1": password, "new_password2": password}
    return client.post(CONFIRM, body)


def signs_in(email: str, password: str) -> bool:
    answer = HostClient().post("/api/token/", {"email": email, "password": password})
    return answer.status_code == 200


class TestChange:
    def change(self, client: HostClient, old: str, new: str, again: str | None = None) -> Any:
        body = {"old_password": old, "new_password1": new, "new_password2": again or new}
        return client.post("/api/auth/password/change/", body)

    def test_keeps_this_session_and_ends_the_others(
        self, as_alice: HostClient, alice: User, visitor: Actor
    ) -> None:
        services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)
        answer = self.change(as_alice, PASSWORD, OTHER_PASSWORD)

        assert answer.status_code == 200, answer.content
        assert as_alice.get("/api/auth/user/").status_code == 200
        reasons = Session.objects.order_by("created_at").values_list("revoked_reason", flat=True)
        assert list(reasons) == ["", Session.EndReason.CREDENTIALS_CHANGED]
        assert signs_in(alice.email, OTHER_PASSWORD)
        assert not signs_in(alice.email, PASSWORD)

    def test_refuses_a_wrong_old_password(self, as_alice: HostClient, alice: User) -> None:
        answer = self.change(as_alice, "not it", OTHER_PASSWORD)

        assert answer.status_code == 400
        assert answer.json()["code"] == "password_wrong"
        assert answer.json()["errors"][0]["pointer"] == "/old_password"
        assert signs_in(alice.email, PASSWORD)

    def test_cannot_be_used_to_guess(self, as_alice: HostClient) -> None:
        statuses = [self.change(as_alice, "guess", OTHER_PASSWORD).status_code for _ in range(6)]

        assert statuses == [400] * 5 + [429]

    @pytest.mark.parametrize("weak", ["short", "1q2w3e4r5t6y", "alice@acme.example", "alice owner"])
    def test_refuses_a_weak_password(self, weak: str, as_alice: HostClient, alice: User) -> None:
        answer = self.change(as_alice, PASSWORD, weak)

        assert answer.status_code == 400
        assert answer.json()["code"] == "password_too_weak"
        assert answer.json()["errors"][0]["pointer"] == "/new_password1"
        assert signs_in(alice.email, PASSWORD)

    def test_refuses_two_different_ones(self, as_alice: HostClient) -> None:
        answer = self.change(as_alice, PASSWORD, OTHER_PASSWORD, "something else entirely")

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["pointer"] == "/new_password2"

    def test_keeps_spaces_as_they_were_typed(self, as_alice: HostClient, alice: User) -> None:
        spaced = f"  {OTHER_PASSWORD}  "
        self.change(as_alice, PASSWORD, spaced)

        assert signs_in(alice.email, spaced)
        assert not signs_in(alice.email, OTHER_PASSWORD)

    def test_needs_a_session(self, client: HostClient, tenant: Any) -> None:
        assert self.change(client, PASSWORD, OTHER_PASSWORD).status_code == 401


class TestReset:
    def test_lets_whoever_reads_the_mail_choose_a_password(
        self,
        client: HostClient,
        alice: User,
        signed_in: services.SignIn,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        assert ask(client, alice.email.upper()).status_code == 200
        token = mailed_token(django_capture_on_commit_callbacks)
        answer = confirm(client, token)

        assert mail.outbox[-1].to == [alice.email]
        assert answer.status_code == 200, answer.content
        assert signs_in(alice.email, OTHER_PASSWORD)
        signed_in.session.refresh_from_db()
        assert signed_in.session.revoked_reason == Session.EndReason.CREDENTIALS_CHANGED

    def test_answers_alike_for_nobody(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        known, unknown = ask(client, alice.email), ask(client, "nobody@acme.example")
        with django_capture_on_commit_callbacks(execute=True):
            relay_due()

        assert known.status_code == unknown.status_code == 200
        assert known.json() == unknown.json()
        assert [one.to for one in mail.outbox] == [[alice.email]]

    def test_does_the_same_work_for_nobody(self, client: HostClient, alice: User) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        ask(client, "warm-up@acme.example")
        statements = []
        for email in (alice.email, "nobody@acme.example"):
            with CaptureQueriesContext(connection) as queries:
                ask(client, email)
            statements.append(len(queries))

        assert statements[0] == statements[1]

    def test_leaves_no_secret_behind(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        from shared_apps.delivery.models import Mail

        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)
        kept = str(
            [
                list(model.objects.values())
                for model in (OneTimeSecret, OutboxMessage, AuditEntry, Mail)
            ]
        )

        from django.core import signing

        inner = signing.b64_decode(token.split(":")[0].lstrip(".").encode()).decode()
        secret = re.search(r'"secret":"([^"]+)"', inner)
        assert secret is not None
        assert secret.group(1) not in kept
        assert token not in kept

    def test_works_once(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)
        confirm(client, token)
        again = confirm(client, token, PASSWORD)

        assert again.status_code == 400
        assert again.json()["code"] == "secret_refused"
        assert not signs_in(alice.email, PASSWORD)

    def test_stays_good_when_the_password_was_too_weak(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)

        assert confirm(client, token, "weak").json()["code"] == "password_too_weak"
        assert confirm(client, token).status_code == 200

    def test_ends_all_other_links(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        ask(client, alice.email)
        first = mailed_token(django_capture_on_commit_callbacks)
        ask(client, alice.email)
        second = mailed_token(django_capture_on_commit_callbacks)

        assert confirm(client, second).status_code == 200
        assert confirm(client, first).status_code == 400

    def test_expires_after_an_hour(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)
        with clock.frozen(clock.now() + timedelta(hours=1, seconds=1)):
            assert confirm(client, token).status_code == 400

    def test_is_refused_next_door(
        self,
        client: HostClient,
        alice: User,
        neighbour: Any,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)

        assert confirm(HostClient("neighbour.kontor.test"), token).status_code == 400
        assert confirm(client, token).status_code == 200

    def test_is_refused_for_another_purpose(
        self, client: HostClient, alice: User, visitor: Actor
    ) -> None:
        code = services.issue_login_code(user_id=alice.id, actor=visitor)

        assert confirm(client, code).status_code == 400

    @pytest.mark.parametrize("token", ["", "x", "a:b:c", "x" * 1025, "\x00", "é", None, 5, []])
    def test_refuses_nonsense(self, token: Any, client: HostClient, tenant: Any) -> None:
        assert confirm(client, token).status_code == 400

    def test_does_not_flood_a_mailbox(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        statuses = [ask(client, alice.email).status_code for _ in range(6)]
        with django_capture_on_commit_callbacks(execute=True):
            relay_due()

        assert statuses == [200] * 6
        assert len(mail.outbox) == 3

    def test_is_bounded_for_one_place(self, client: HostClient, tenant: Any) -> None:
        statuses = [ask(client, f"p{number}@acme.example").status_code for number in range(21)]

        assert statuses == [200] * 20 + [429]

    def test_does_not_let_a_deactivated_person_in(
        self,
        client: HostClient,
        alice: User,
        manager: Actor,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        ask(client, alice.email)
        token = mailed_token(django_capture_on_commit_callbacks)
        services.deactivate_user(user_id=alice.id, actor=manager)

        assert confirm(client, token).status_code == 400

    def test_opens_a_locked_place_to_who_reads_the_mail(
        self, client: HostClient, alice: User, django_capture_on_commit_callbacks: Any
    ) -> None:
        for _ in range(6):
            client.post("/api/token/", {"email": alice.email, "password": "guess"})
        ask(client, alice.email)
        confirm(client, mailed_token(django_capture_on_commit_callbacks))

        assert signs_in(alice.email, OTHER_PASSWORD)

    def test_does_not_touch_the_second_factor(
        self,
        client: HostClient,
        alice: User,
        visitor: Actor,
        django_capture_on_commit_callbacks: Any,
    ) -> None:
        from tests.accounts.authenticators import enrol

        enrol(alice, actor=visitor)
        ask(client, alice.email)
        confirm(client, mailed_token(django_capture_on_commit_callbacks))
        answer = client.post("/api/token/", {"email": alice.email, "password": OTHER_PASSWORD})

        assert answer.json()["second_factor"] == "to_verify"


def test_two_people_do_not_share_an_address_in_another_case(alice: User) -> None:
    from shared_apps.accounts.errors import EmailTaken

    with pytest.raises(EmailTaken):
        make_user("ALICE@acme.example")
