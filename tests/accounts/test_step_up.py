"""A fresh proof before what is sensitive."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import TestCase

from shared_apps.access.models import Membership, Role
from shared_apps.access.selectors import root_unit
from shared_apps.accounts import services
from shared_apps.accounts.models import ApiKey, SecuritySettings, Session, User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel import clock
from shared_apps.kernel.errors import Forbidden
from tests.accounts.authenticators import code_of, enrol, wrong_code
from tests.accounts.clients import HostClient
from tests.people import PASSWORD, actor_of, client_of, machine, make_person
from tests.snapshots import changed, snapshot

STEP_UP = "/api/v1/step-up/"
# Counters of attempts are no business fact.
PASSING = {"accounts_attemptcounter"}


def aged(minutes: int, **values: Any) -> None:
    """Let every session's proofs be so many minutes old."""
    moment = clock.now() - timedelta(minutes=minutes)
    Session.objects.filter(second_factor_at__isnull=False).update(second_factor_at=moment)
    Session.objects.filter(password_at__isnull=False).update(password_at=moment)


@pytest.fixture
def ada(tenant: Any) -> User:
    return make_person("Ada Admin", role="admin")


@pytest.fixture
def secret(ada: User) -> str:
    return enrol(ada, actor=machine())[0]


@pytest.fixture
def client(ada: User, secret: str) -> Any:
    return client_of(User.objects.get(pk=ada.pk))


def refused(answer: Any, proof: str = "authenticator") -> bool:
    problem = answer.json()
    return bool(
        answer.status_code == 403
        and problem["code"] == "step_up_required"
        and problem["step_up"]["address"] == STEP_UP
        and problem["step_up"]["proof"] == proof
        and STEP_UP in problem["detail"]
    )


def test_an_old_second_factor_changes_no_roles(client: Any, secret: str) -> None:
    aged(11)
    before = snapshot()
    assert refused(client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}))
    assert changed(before) == []
    # Reading is not sensitive.
    assert client.get("/api/v1/roles/").status_code == 200
    assert client.post(STEP_UP, {"code": code_of(secret, steps=1)}).status_code == 200
    assert client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}).status_code == 201


def sensitive(ada: User) -> list[tuple[str, str, Any]]:
    role = Role.objects.get(code="salesperson")
    held = Membership.objects.get(user=ada)
    policy = services.add_sign_in_policy(actor=machine(), role="verifier", factor="code")
    key = services.issue_api_key(
        actor=actor_of(ada), name="Till", permissions=["access.view_role"]
    ).key
    paul = make_person("Paul Colleague")
    member = {"user_id": str(paul.pk), "unit_id": str(root_unit().pk), "role": "admin"}
    return [
        ("post", "roles/", {"code": "mine", "name": "Mine"}),
        ("patch", f"roles/{role.pk}/", {"name": "Mine"}),
        ("delete", f"roles/{role.pk}/", None),
        ("post", "memberships/", member),
        ("delete", f"memberships/{held.pk}/", None),
        ("post", "api-keys/", {"name": "Till", "permissions": ["access.view_role"]}),
        ("post", f"api-keys/{key.pk}/rotation/", {"former_ends_at": "2030-01-01T00:00:00Z"}),
        ("post", "sign-in-policies/", {"role": "", "factor": "password"}),
        ("patch", f"sign-in-policies/{policy.pk}/", {"factor": "password"}),
        ("delete", f"sign-in-policies/{policy.pk}/", None),
        ("patch", "security-settings/", {"step_up_minutes": 60}),
        ("post", f"users/{paul.pk}/second-factor-reset/", None),
        ("post", f"users/{paul.pk}/reactivation/", None),
        ("post", "invitations/", {"email": "thief@example.com", "full_name": "T", "roles": []}),
        ("post", f"invitations/{paul.pk}/resending/", None),
        ("post", "teams/", {"name": "Ours", "lead_id": str(paul.pk)}),
        ("put", f"teams/{paul.pk}/lead/", {"lead_id": str(paul.pk)}),
        ("post", f"teams/{paul.pk}/members/", {"user_id": str(paul.pk), "role": "verifier"}),
        ("post", "object-grants/", {"user_id": str(paul.pk)}),
        ("post", "second-factor/removal/", {"password": PASSWORD}),
        ("post", "second-factor/recovery-codes/", {"password": PASSWORD}),
        ("patch", "profile/", {"phone": "+254712345678"}),
    ]


def test_everything_sensitive_asks_for_it(client: Any, ada: User) -> None:
    acts = sensitive(ada)
    aged(11)
    before = snapshot()
    for method, path, body in acts:
        answer = getattr(client, method)(f"/api/v1/{path}", body)
        assert refused(answer), (method, path, answer.json())
    assert changed(before) == []


def test_a_key_is_revoked_without_it(client: Any, ada: User) -> None:
    key = services.issue_api_key(
        actor=actor_of(ada), name="Till", permissions=["access.view_role"]
    ).key
    aged(11)
    assert client.delete(f"/api/v1/api-keys/{key.pk}/").status_code == 204
    assert ApiKey.objects.get().revoked_at is not None


def test_a_wrong_code_does_not_freshen(client: Any, secret: str) -> None:
    aged(11)
    answer = client.post(STEP_UP, {"code": wrong_code(secret)})
    assert (answer.status_code, answer.json()["code"]) == (400, "second_factor_wrong")
    assert refused(client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}))
    assert not AuditEntry.objects.filter(event_name="accounts.stepped_up").exists()


def test_the_password_is_not_enough_for_who_has_an_authenticator(client: Any, secret: str) -> None:
    aged(11)
    before = snapshot()
    for body in ({"password": PASSWORD}, {}, {"password": PASSWORD, "code": code_of(secret)}):
        answer = client.post(STEP_UP, body)
        assert (answer.status_code, answer.json()["code"]) == (400, "step_up_proof_refused")
    assert changed(before) == []
    assert refused(client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}))


def test_a_code_freshens_its_own_session_only(client: Any, ada: User, secret: str) -> None:
    other = client_of(User.objects.get(pk=ada.pk))
    aged(11)
    assert client.post(STEP_UP, {"code": code_of(secret, steps=1)}).status_code == 200
    assert refused(other.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}))
    entry = AuditEntry.objects.get(event_name="accounts.stepped_up")
    assert entry.subject_id == client.session_row.pk


def test_it_says_until_when_it_counts(client: Any, secret: str) -> None:
    shown = client.get(STEP_UP).json()
    assert (shown["proof"], shown["channels"]) == ("authenticator", [])
    assert shown["fresh_until"] is not None
    aged(11)
    assert client.get(STEP_UP).json()["fresh_until"] is None
    again = client.post(STEP_UP, {"code": code_of(secret, steps=1)}).json()
    assert again["fresh_until"] is not None


class TestWithoutASecondFactor:
    def signed_in(self) -> tuple[User, HostClient]:
        sam = make_person("Sam Seller", role="salesperson")
        client = HostClient()
        answer = client.post("/api/token/", {"email": sam.email, "password": PASSWORD})
        return sam, client.carrying(answer.json()["access"])

    def test_a_fresh_sign_in_is_enough(self, tenant: Any) -> None:
        _, client = self.signed_in()
        changed_phone = client.patch("/api/v1/profile/", {"phone": "+254712345678"})
        assert changed_phone.status_code == 200

    def test_an_old_one_asks_for_the_password(self, tenant: Any) -> None:
        _, client = self.signed_in()
        aged(11)
        phone = {"phone": "+254712345678"}
        before = snapshot()
        assert refused(client.patch("/api/v1/profile/", phone), "password")
        assert changed(before) == []
        wrong = client.post(STEP_UP, {"password": "wrong-password-wrong"})
        assert wrong.json()["code"] == "password_wrong"
        assert refused(client.patch("/api/v1/profile/", phone), "password")
        assert client.post(STEP_UP, {"password": PASSWORD}).status_code == 200
        assert client.patch("/api/v1/profile/", phone).status_code == 200

    def test_a_login_code_is_no_password(self, tenant: Any) -> None:
        sam = make_person("Sam Seller", role="salesperson")
        code = services.issue_login_code(user_id=sam.pk, actor=machine())
        client = HostClient()
        answer = client.post("/api/v1/login-codes/redemption/", {"code": code})
        client.carrying(answer.json()["access"])
        assert refused(client.patch("/api/v1/profile/", {"phone": "+254712345678"}), "password")

    def test_guessing_the_password_is_counted(self, tenant: Any) -> None:
        _, client = self.signed_in()
        aged(11)
        wrong = {"password": "wrong-password-wrong"}
        assert [client.post(STEP_UP, wrong).status_code for _ in range(6)] == [400] * 5 + [429]
        assert client.post(STEP_UP, {"password": PASSWORD}).status_code == 429

    def test_a_code_by_mail_does_for_whom_it_is_asked(self, tenant: Any) -> None:
        services.add_sign_in_policy(actor=machine(), role="", factor="email_code")
        _, client = self.signed_in()
        for _ in range(2):
            with TestCase.captureOnCommitCallbacks(execute=True):
                client.post("/api/v1/second-factor/codes/", {"channel": "email"})
            found = re.search(r"\b([0-9]{6})\b", str(mail.outbox[-1].body))
            assert found is not None
            address = "/api/v1/second-factor/verification/" if len(mail.outbox) == 1 else STEP_UP
            assert client.post(address, {"code": found[1]}).status_code in (200, 204)
            aged(11 if len(mail.outbox) == 1 else 0)
        assert client.patch("/api/v1/profile/", {"phone": "+254712345678"}).status_code == 200

    def test_an_unsettled_session_cannot_step_up(self, tenant: Any) -> None:
        services.add_sign_in_policy(actor=machine(), role="", factor="email_code")
        _, client = self.signed_in()
        before = snapshot()
        answer = client.post(STEP_UP, {"password": PASSWORD})
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
        assert changed(before) == []


class TestSettings:
    def test_the_minutes_are_the_organizations(self, client: Any) -> None:
        services.change_security_settings(actor=machine(), step_up_minutes=30)
        aged(29)
        assert client.post("/api/v1/roles/", {"code": "mine", "name": "Mine"}).status_code == 201
        aged(31)
        assert refused(client.post("/api/v1/roles/", {"code": "more", "name": "More"}))

    def test_a_change_is_written_down_and_a_repetition_is_not(self, tenant: Any) -> None:
        for _ in range(2):
            services.change_security_settings(actor=machine(), step_up_for_money=True)
        entry = AuditEntry.objects.get(event_name="accounts.security_settings_changed")
        assert entry.payload["step_up_for_money"] is True
        assert SecuritySettings.objects.count() == 1

    def test_only_whoever_may_changes_them(self, tenant: Any) -> None:
        sam = make_person("Sam Seller", role="salesperson")
        before = snapshot()
        with pytest.raises(Forbidden):
            services.change_security_settings(actor=actor_of(sam), step_up_minutes=60)
        assert changed(before) == []

    @pytest.mark.parametrize("minutes", [0, -1, 61, "x", None])
    def test_the_minutes_have_bounds(self, minutes: Any, client: Any) -> None:
        before = snapshot()
        answer = client.patch("/api/v1/security-settings/", {"step_up_minutes": minutes})
        assert answer.status_code == 400
        assert changed(before) == []


class TestMoney:
    def verified(self, minutes: int, *, for_money: bool) -> Any:
        from tests.cast import assemble
        from tests.deals.stories import a_client, a_deal
        from tests.payments.stories import a_payment

        cast = assemble()
        payment = a_payment(cast, a_deal(cast, client_id=a_client(cast).pk))
        services.change_security_settings(actor=machine(), step_up_for_money=for_money)
        vera = cast.api("vera")
        aged(minutes)
        before = snapshot()
        answer = vera.post(f"payments/{payment.pk}/verification/", {})
        return answer, changed(before)

    def test_approving_asks_where_the_organization_wants_it(self, tenant: Any) -> None:
        answer, touched = self.verified(11, for_money=True)
        assert refused(answer, "password")
        assert touched == []

    def test_approving_does_not_ask_otherwise(self, tenant: Any) -> None:
        answer, _ = self.verified(11, for_money=False)
        assert answer.status_code < 300, answer.json()

    def test_a_fresh_proof_approves(self, tenant: Any) -> None:
        answer, _ = self.verified(1, for_money=True)
        assert answer.status_code < 300, answer.json()
