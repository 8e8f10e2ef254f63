"""People: made, closed out, let in again; their profile; super-admins."""

import io
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from shared_apps.accounts import services
from shared_apps.accounts.emails import normalise_email
from shared_apps.accounts.errors import (
    AlreadyDeactivated,
    CannotDeactivateSelf,
    EmailMalformed,
    EmailTaken,
    NotDeactivated,
    OnlyOnPlatform,
    PasswordTooWeak,
    UserUnknown,
)
from shared_apps.accounts.models import OneTimeSecret, Session, User
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from shared_apps.kernel.ids import uuid7
from tests.accounts.authenticators import code_of
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Alice@Acme.Example", "alice@acme.example"),
        ("  alice@acme.example ", "alice@acme.example"),
        ("alice@BÜCHER.example", "alice@xn--bcher-kva.example"),
        ("no address", "no address"),
        ("", ""),
        ("@", "@"),
        ("x@" + "é" * 300, "x@" + "é" * 253),
    ],
)
def test_keeps_addresses_in_one_spelling(typed: str, kept: str) -> None:
    assert normalise_email(typed) == kept


def test_makes_many_at_once(tenant: Any, manager: Actor) -> None:
    people = [
        services.NewUser(email=f"P{number}@acme.example", full_name=f"Person {number}")
        for number in range(20)
    ]
    users = services.create_users(people=people, actor=manager)

    assert [user.email for user in users] == [f"p{number}@acme.example" for number in range(20)]
    assert not any(user.has_usable_password() for user in users)


def test_refuses_one_address_twice(alice: User, manager: Actor) -> None:
    twins = [services.NewUser(email="t@acme.example", full_name="T")] * 2
    for people in (twins, [services.NewUser(email="ALICE@acme.example", full_name="A")]):
        with pytest.raises(EmailTaken):
            services.create_users(people=people, actor=manager)

    assert User.objects.count() == 1


def test_refuses_a_weak_password(tenant: Any, manager: Actor) -> None:
    with pytest.raises(PasswordTooWeak):
        services.create_user(email="a@b.example", full_name="A", password="weak", actor=manager)

    assert not User.objects.exists()


def test_needs_the_right_to(alice: User, visitor: Actor) -> None:
    with pytest.raises(Forbidden):
        services.create_user(email="a@b.example", full_name="A", actor=visitor)
    with pytest.raises(Forbidden):
        services.deactivate_user(user_id=alice.id, actor=visitor)


class TestDeactivation:
    def test_ends_sessions_and_links(
        self, signed_in: services.SignIn, alice: User, manager: Actor
    ) -> None:
        services.issue_login_code(user_id=alice.id, actor=manager)
        services.deactivate_user(user_id=alice.id, actor=manager)

        assert Session.objects.get().revoked_reason == Session.EndReason.DEACTIVATED
        assert OneTimeSecret.objects.get().withdrawn_at is not None
        alice.refresh_from_db()
        assert not alice.is_active

    def test_is_done_once_and_undone_once(self, alice: User, manager: Actor) -> None:
        with pytest.raises(NotDeactivated):
            services.reactivate_user(user_id=alice.id, actor=manager)
        services.deactivate_user(user_id=alice.id, actor=manager)
        with pytest.raises(AlreadyDeactivated):
            services.deactivate_user(user_id=alice.id, actor=manager)
        services.reactivate_user(user_id=alice.id, actor=manager)

        answer = HostClient().post("/api/token/", {"email": alice.email, "password": PASSWORD})
        assert answer.status_code == 200

    def test_is_not_done_to_oneself(self, alice: User, manager: Actor) -> None:
        with pytest.raises(CannotDeactivateSelf):
            services.deactivate_user(user_id=alice.id, actor=manager.changed(user_id=alice.id))

    def test_knows_nobody_else(self, tenant: Any, manager: Actor) -> None:
        with pytest.raises(UserUnknown):
            services.deactivate_user(user_id=uuid7(), actor=manager)


class TestProfile:
    def test_changes_what_is_sent(self, as_alice: HostClient, alice: User) -> None:
        answer = as_alice.patch(
            "/api/v1/profile/", {"phone": "+254712345678", "time_zone": "Africa/Nairobi"}
        )

        assert answer.status_code == 200, answer.content
        assert answer.json()["phone"] == "+254712345678"
        assert answer.json()["full_name"] == "Alice Owner"

    @pytest.mark.parametrize(
        "body",
        [
            {"email": "other@acme.example"},
            {"is_staff": True},
            {"is_active": False},
            {"full_name": ""},
            {"full_name": "x" * 201},
            {"full_name": "nul\x00"},
            {"phone": "0712"},
            {"language": "English"},
            {"time_zone": "Mars/Olympus"},
            {"time_zone": "../../etc/passwd"},
            {"full_name": None},
            [],
        ],
    )
    def test_refuses_what_is_not_ones_own_to_say(
        self, body: Any, as_alice: HostClient, alice: User
    ) -> None:
        answer = as_alice.patch("/api/v1/profile/", body)
        before = (alice.email, alice.full_name, alice.is_staff, alice.is_active)
        alice.refresh_from_db()

        assert answer.status_code == 400
        assert (alice.email, alice.full_name, alice.is_staff, alice.is_active) == before


class TestSuperAdmin:
    def make(self, monkeypatch: pytest.MonkeyPatch, email: str = "root@kontor.test") -> str:
        monkeypatch.setenv("SUPER_ADMIN_PASSWORD", PASSWORD)
        out = io.StringIO()
        call_command("create_super_admin", email, "--no-input", stdout=out)
        return out.getvalue()

    def test_stands_in_the_public_schema_with_a_second_factor(
        self, platform: Any, monkeypatch: pytest.MonkeyPatch, visitor: Actor
    ) -> None:
        printed = self.make(monkeypatch)
        user = User.objects.get(email="root@kontor.test")

        assert user.is_staff
        assert user.second_factor_enrolled_at is not None
        secret = re.search(r"Secret: +(\S+)", printed)
        assert secret is not None
        themselves = visitor.changed(user_id=user.id)
        assert services.verify_code(user=user, code=code_of(secret.group(1)), actor=themselves)

    def test_signs_in_to_django_by_the_same_counted_check(
        self, platform: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from django.contrib.auth import authenticate
        from django.test import RequestFactory

        secret = re.search(r"Secret: +(\S+)", self.make(monkeypatch))
        assert secret is not None
        code = code_of(secret.group(1))
        request = RequestFactory().post("/")

        def come_in(password: str) -> Any:
            return authenticate(
                request, username="ROOT@kontor.test", password=password, otp_token=code
            )

        user = come_in(PASSWORD)
        assert user is not None
        assert user.has_perm("tenants.change_organization")
        TOTPDevice.objects.update(last_t=-1)
        for _ in range(5):
            assert come_in("guess") is None
        assert come_in(PASSWORD) is None

    def test_is_refused_a_weak_password_or_a_taken_address(
        self, platform: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.make(monkeypatch)
        for email, password in (("root@kontor.test", PASSWORD), ("a@kontor.test", "weak")):
            monkeypatch.setenv("SUPER_ADMIN_PASSWORD", password)
            with pytest.raises(CommandError):
                call_command("create_super_admin", email, "--no-input", stdout=io.StringIO())

        assert User.objects.count() == 1

    def test_is_not_made_in_an_organization(self, tenant: Any, manager: Actor) -> None:
        with pytest.raises(OnlyOnPlatform):
            services.create_super_admin(
                email="root@acme.example", full_name="Root", password=PASSWORD, actor=manager
            )

        assert not User.objects.filter(is_staff=True).exists()


@pytest.mark.parametrize("email", ["", "no address", "é@acme.example", "a" * 250 + "@x.example"])
def test_refuses_what_is_no_address(email: str, tenant: Any, manager: Actor) -> None:
    with pytest.raises(EmailMalformed):
        services.create_user(email=email, full_name="A", actor=manager)
    with pytest.raises(EmailMalformed):
        services.invite_user(email=email, full_name="A", actor=manager)

    assert not User.objects.exists()
