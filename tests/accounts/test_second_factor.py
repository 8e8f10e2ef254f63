"""The second factor: enrolled, asked for, lost, replaced."""

from collections.abc import Iterator
from typing import Any

import pytest
from django_otp.plugins.otp_totp.models import TOTPDevice

from shared_apps.accounts import second_factor, services
from shared_apps.accounts.errors import NotEnrolled
from shared_apps.accounts.models import RecoveryCode, Session, User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from tests.accounts.authenticators import code_of, enrol, wrong_code
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD

BASE = "/api/v1/second-factor/"
GIVEN = {"password": PASSWORD}
NEEDS_SETTLING = [
    ("get", "/api/auth/user/"),
    ("get", "/api/v1/profile/"),
    ("patch", "/api/v1/profile/"),
    ("get", "/api/v1/sessions/"),
    ("delete", "/api/v1/sessions/"),
    ("post", "/api/auth/password/change/"),
    ("post", f"{BASE}recovery-codes/"),
    ("post", f"{BASE}removal/"),
]


def signed_in_client(user: User, visitor: Actor) -> HostClient:
    sign_in = services.sign_in(email=user.email, password=PASSWORD, actor=visitor)
    return HostClient().carrying(sign_in.tokens.access)


@pytest.fixture
def enrolled(alice: User, visitor: Actor) -> tuple[str, list[str]]:
    return enrol(alice, actor=visitor)


@pytest.fixture
def demanded(alice: User) -> Iterator[None]:
    """A second factor is demanded of Alice."""

    def policy(user: User) -> bool:
        return user.pk == alice.pk

    second_factor.register_policy(policy)
    yield
    second_factor._policies.remove(policy)


class TestEnrolment:
    def test_counts_from_the_first_code_on(self, as_alice: HostClient, alice: User) -> None:
        begun = as_alice.post(f"{BASE}enrolment/", GIVEN)
        assert begun.status_code == 201
        assert begun.json()["address"].startswith("otpauth://totp/alice%40acme.example?")
        assert "issuer=Acme" in begun.json()["address"]
        assert as_alice.get(BASE).json()["enrolled_at"] is None

        code = code_of(begun.json()["secret"])
        confirmed = as_alice.post(f"{BASE}enrolment/confirmation/", {"code": code})

        assert confirmed.status_code == 201, confirmed.content
        assert len(set(confirmed.json()["recovery_codes"])) == 10
        standing = as_alice.get(BASE).json()
        assert standing["second_factor"] == "settled"
        assert standing["recovery_codes_left"] == 10
        assert as_alice.get("/api/auth/user/").status_code == 200
        assert AuditEntry.objects.filter(event_name="accounts.second_factor_enrolled").exists()

    def test_refuses_a_wrong_code(self, as_alice: HostClient) -> None:
        secret = as_alice.post(f"{BASE}enrolment/", GIVEN).json()["secret"]
        answer = as_alice.post(f"{BASE}enrolment/confirmation/", {"code": wrong_code(secret)})

        assert answer.status_code == 400
        assert answer.json()["code"] == "second_factor_wrong"
        assert as_alice.get(BASE).json()["enrolled_at"] is None

    def test_begins_anew_with_another_secret(self, as_alice: HostClient) -> None:
        first = as_alice.post(f"{BASE}enrolment/", GIVEN).json()["secret"]
        second = as_alice.post(f"{BASE}enrolment/", GIVEN).json()["secret"]

        assert first != second
        assert TOTPDevice.objects.count() == 1

    def test_asks_for_the_password(self, as_alice: HostClient) -> None:
        """A found phone must not become the second factor of the session's owner."""
        for body in ({}, {"password": ""}, {"password": "a guess"}):
            assert as_alice.post(f"{BASE}enrolment/", body).status_code == 400
        answer = as_alice.post(f"{BASE}enrolment/", {"password": "another guess"})
        assert answer.json()["code"] == "password_wrong"
        assert not TOTPDevice.objects.exists()

    def test_lets_nobody_guess_the_password(self, as_alice: HostClient) -> None:
        for _ in range(5):
            as_alice.post(f"{BASE}enrolment/", {"password": "a guess"})
        assert as_alice.post(f"{BASE}enrolment/", GIVEN).status_code == 429

    def test_must_be_begun(self, as_alice: HostClient) -> None:
        answer = as_alice.post(f"{BASE}enrolment/confirmation/", {"code": "123456"})

        assert answer.status_code == 409
        assert answer.json()["code"] == "second_factor_enrolment_not_begun"

    def test_does_not_replace_another(self, alice: User, enrolled: Any, visitor: Actor) -> None:
        """A session that has only shown the password cannot enrol a phone of its own."""
        client = signed_in_client(alice, visitor)

        assert client.post(f"{BASE}enrolment/", GIVEN).status_code == 409
        confirmation = client.post(f"{BASE}enrolment/confirmation/", {"code": "123456"})
        assert confirmation.status_code == 409

    @pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", None, 123456.5])
    def test_refuses_nonsense(self, code: Any, as_alice: HostClient) -> None:
        as_alice.post(f"{BASE}enrolment/", GIVEN)

        assert as_alice.post(f"{BASE}enrolment/confirmation/", {"code": code}).status_code == 400


class TestVerification:
    def test_is_asked_for_in_every_new_session(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        client = signed_in_client(alice, visitor)
        for method, address in NEEDS_SETTLING:
            refused = getattr(client, method)(address)
            assert refused.status_code == 403, address
            assert refused.json()["code"] == "second_factor_required"

        answer = client.post(f"{BASE}verification/", {"code": code_of(enrolled[0])})

        assert answer.status_code == 204, answer.content
        assert client.get("/api/auth/user/").status_code == 200

    def test_does_not_take_a_code_twice(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        code = code_of(enrolled[0])
        first, second = (signed_in_client(alice, visitor) for _ in range(2))

        assert first.post(f"{BASE}verification/", {"code": code}).status_code == 204
        assert second.post(f"{BASE}verification/", {"code": code}).status_code == 400

    def test_makes_each_wrong_code_wait_twice_as_long(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        client = signed_in_client(alice, visitor)
        TOTPDevice.objects.update(throttling_failure_count=6)
        wrong = client.post(f"{BASE}verification/", {"code": wrong_code(enrolled[0])})
        right = client.post(f"{BASE}verification/", {"code": code_of(enrolled[0])})

        assert wrong.status_code == 400
        assert right.status_code == 429
        assert right["Retry-After"] == "64"
        assert Session.objects.filter(second_factor_at__isnull=False).count() == 0

    def test_counts_wrong_recovery_codes_too(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        client = signed_in_client(alice, visitor)
        statuses = [
            client.post(f"{BASE}verification/", {"code": "aaaa-bbbb-cccc-dddd"}).status_code
            for _ in range(2)
        ]

        assert statuses == [400, 429]

    def test_takes_a_recovery_code_once(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        code = enrolled[1][0]
        first, second = (signed_in_client(alice, visitor) for _ in range(2))

        spelled = code.upper().replace("-", " ")
        assert first.post(f"{BASE}verification/", {"code": spelled}).status_code == 204
        assert second.post(f"{BASE}verification/", {"code": code}).status_code == 400
        assert first.get(BASE).json()["recovery_codes_left"] == 9

    def test_does_not_take_the_hash_of_a_recovery_code(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        kept = RecoveryCode.objects.values_list("code_hash", flat=True)[0]
        client = signed_in_client(alice, visitor)

        assert not set(enrolled[1]) & set(kept)
        assert client.post(f"{BASE}verification/", {"code": kept}).status_code == 400

    def test_does_not_take_somebody_elses_code(
        self, alice: User, bob: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        enrol(bob, actor=visitor)
        client = signed_in_client(bob, visitor)

        assert client.post(f"{BASE}verification/", {"code": enrolled[1][0]}).status_code == 400

    def test_needs_a_second_factor(self, as_alice: HostClient) -> None:
        answer = as_alice.post(f"{BASE}verification/", {"code": "123456"})

        assert answer.status_code == 409

    def test_survives_a_refresh(
        self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor
    ) -> None:
        sign_in = services.sign_in(email=alice.email, password=PASSWORD, actor=visitor)
        client = HostClient().carrying(sign_in.tokens.access)
        client.post(f"{BASE}verification/", {"code": code_of(enrolled[0])})
        tokens = HostClient().post("/api/token/refresh/", {"refresh": sign_in.tokens.refresh})

        refreshed = HostClient().carrying(tokens.json()["access"])
        assert refreshed.get("/api/auth/user/").status_code == 200


@pytest.mark.usefixtures("demanded")
class TestDemand:
    def test_lets_a_session_only_enrol(self, as_alice: HostClient) -> None:
        for method, address in NEEDS_SETTLING:
            refused = getattr(as_alice, method)(address)
            assert refused.status_code == 403, address
            assert refused.json()["code"] == "second_factor_enrolment_required"

        secret = as_alice.post(f"{BASE}enrolment/", GIVEN).json()["secret"]
        as_alice.post(f"{BASE}enrolment/confirmation/", {"code": code_of(secret)})
        assert as_alice.get("/api/auth/user/").status_code == 200

    def test_is_said_at_sign_in(self, client: HostClient, alice: User) -> None:
        answer = client.post("/api/token/", {"email": alice.email, "password": PASSWORD})

        assert answer.json()["second_factor"] == "to_enrol"

    def test_lets_such_a_session_sign_out(self, as_alice: HostClient) -> None:
        assert as_alice.post("/api/auth/logout/").status_code == 200

    def test_does_not_let_the_factor_go(
        self, alice: User, visitor: Actor, as_alice: HostClient
    ) -> None:
        secret = as_alice.post(f"{BASE}enrolment/", GIVEN).json()["secret"]
        as_alice.post(f"{BASE}enrolment/confirmation/", {"code": code_of(secret)})
        answer = as_alice.post(f"{BASE}removal/", {"password": PASSWORD})

        assert answer.status_code == 409
        assert answer.json()["code"] == "second_factor_demanded"


class TestLoss:
    @pytest.fixture
    def settled(self, alice: User, enrolled: tuple[str, list[str]], visitor: Actor) -> HostClient:
        client = signed_in_client(alice, visitor)
        client.post(f"{BASE}verification/", {"code": code_of(enrolled[0])})
        return client

    def test_can_be_given_up_with_the_password(self, settled: HostClient, alice: User) -> None:
        assert settled.post(f"{BASE}removal/", {"password": "not it"}).status_code == 400
        assert settled.post(f"{BASE}removal/", {"password": PASSWORD}).status_code == 204
        assert settled.get(BASE).json()["enrolled_at"] is None
        assert not TOTPDevice.objects.exists()
        assert not RecoveryCode.objects.exists()

    def test_can_get_new_recovery_codes(
        self, settled: HostClient, enrolled: tuple[str, list[str]]
    ) -> None:
        answer = settled.post(f"{BASE}recovery-codes/", {"password": PASSWORD})

        assert answer.status_code == 201
        assert not set(answer.json()["recovery_codes"]) & set(enrolled[1])
        assert RecoveryCode.objects.count() == 10

    def test_can_be_reset_by_an_admin_and_ends_all_sessions(
        self, settled: HostClient, alice: User, manager: Actor
    ) -> None:
        services.reset_second_factor(user_id=alice.id, actor=manager)

        assert settled.get("/api/auth/user/").status_code == 401
        alice.refresh_from_db()
        assert alice.second_factor_enrolled_at is None

    def test_is_not_reset_without_the_right_to(
        self, settled: HostClient, alice: User, visitor: Actor
    ) -> None:
        with pytest.raises(Forbidden):
            services.reset_second_factor(user_id=alice.id, actor=visitor)

        assert TOTPDevice.objects.exists()

    def test_cannot_be_reset_where_there_is_none(self, bob: User, manager: Actor) -> None:
        with pytest.raises(NotEnrolled):
            services.reset_second_factor(user_id=bob.id, actor=manager)
