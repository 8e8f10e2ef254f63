"""Devices: named, noticed when they are new, and signed in for as long as the organization says."""

from datetime import timedelta
from typing import Any

import pytest

from shared_apps.accounts import devices, services
from shared_apps.accounts.errors import RefreshRefused
from shared_apps.accounts.models import Session, User
from shared_apps.audit.models import AuditEntry
from shared_apps.delivery.models import Mail
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD
from tests.people import client_of, machine, make_person
from tests.snapshots import changed, snapshot

SESSIONS = "/api/v1/sessions/"
DESK, PHONE = "Firefox at a desk", "Safari on a phone"


def somebody(address: str = "198.51.100.7", program: str = DESK) -> Actor:
    return Actor(request_id="test-visitor", ip_address=address, user_agent=program)


def sign_in(person: User, actor: Actor) -> services.SignIn:
    return services.sign_in(email=person.email, password=PASSWORD, actor=actor)


def notices() -> list[Mail]:
    return list(Mail.objects.filter(template="new_device").order_by("pk"))


class TestNames:
    def test_a_device_is_named(self, as_alice: HostClient, signed_in: services.SignIn) -> None:
        answer = as_alice.patch(f"{SESSIONS}{signed_in.session.pk}/", {"name": "My desk"})
        assert (answer.status_code, answer.json()["name"]) == (200, "My desk")
        assert as_alice.get(SESSIONS).json()["results"][0]["name"] == "My desk"
        entry = AuditEntry.objects.get(event_name="accounts.session_named")
        assert "My desk" not in repr(entry.payload)

    @pytest.mark.parametrize("name", ["x" * 61, None, "a\u0000b", ["desk"]])
    def test_a_bad_name_is_refused(
        self, name: Any, as_alice: HostClient, signed_in: services.SignIn
    ) -> None:
        before = snapshot()
        answer = as_alice.patch(f"{SESSIONS}{signed_in.session.pk}/", {"name": name})
        assert answer.status_code == 400
        assert changed(before) == []
        assert Session.objects.get().name == ""

    def test_nobody_names_anothers(self, as_alice: HostClient, bob: User) -> None:
        other = sign_in(bob, somebody()).session
        before = snapshot()
        answer = as_alice.patch(f"{SESSIONS}{other.pk}/", {"name": "Mine"})
        assert answer.status_code == 404
        assert changed(before) == []
        other.refresh_from_db()
        assert other.name == ""

    def test_an_ended_one_is_not_named(
        self, as_alice: HostClient, alice: User, signed_in: services.SignIn
    ) -> None:
        ended = sign_in(alice, somebody()).session
        services.end_session(
            session_id=ended.pk,
            actor=somebody().changed(user_id=alice.pk, session_id=signed_in.session.pk),
        )
        answer = as_alice.patch(f"{SESSIONS}{ended.pk}/", {"name": "Mine"})
        assert answer.status_code == 404


class TestNotices:
    def test_the_first_sign_in_is_no_news(self, alice: User) -> None:
        sign_in(alice, somebody())
        assert notices() == []

    def test_the_same_device_is_no_news(self, alice: User) -> None:
        for address in ("198.51.100.7", "198.51.100.7", "198.51.7.9"):
            sign_in(alice, somebody(address))
        assert notices() == []

    @pytest.mark.parametrize(
        ("address", "program"), [("198.51.100.7", PHONE), ("203.0.113.7", DESK)]
    )
    def test_another_program_or_network_is(self, address: str, program: str, alice: User) -> None:
        sign_in(alice, somebody())
        sign_in(alice, somebody(address, program))
        (notice,) = notices()
        assert notice.to == alice.email
        assert address in notice.text
        assert program in notice.text
        started = AuditEntry.objects.filter(event_name="accounts.session_started")
        told = [entry.payload["is_new_device"] for entry in started.order_by("id")]
        assert told == [False, True]

    def test_it_is_told_before_the_second_factor(self, alice: User) -> None:
        services.add_sign_in_policy(actor=machine(), role="", factor="email_code")
        sign_in(alice, somebody())
        assert sign_in(alice, somebody("203.0.113.7")).session.second_factor_at is None
        assert len(notices()) == 1

    def test_a_failed_sign_in_is_not_told(self, alice: User) -> None:
        from shared_apps.accounts.errors import CredentialsRefused

        sign_in(alice, somebody())
        with pytest.raises(CredentialsRefused):
            services.sign_in(email=alice.email, password="wrong", actor=somebody("203.0.113.7"))
        assert notices() == []

    def test_a_device_is_forgotten_after_three_months(self, alice: User) -> None:
        sign_in(alice, somebody())
        with clock.frozen(clock.now() + timedelta(days=91)):
            sign_in(alice, somebody())
        assert len(notices()) == 1

    def test_what_the_program_says_stays_text(self, alice: User) -> None:
        sign_in(alice, somebody())
        sign_in(alice, somebody(program="<script>x</script>\nBcc: evil@example.com"))
        (notice,) = notices()
        assert "\n" not in notice.subject
        assert "<script>" not in notice.subject


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("198.51.100.7", "198.51.7.9", True),
        ("198.51.100.7", "198.52.100.7", False),
        ("::ffff:198.51.100.7", "198.51.7.9", True),
        ("2001:db8:1::1", "2001:db8:2::1", True),
        ("2001:db8::1", "2001:db9::1", False),
        ("", "", True),
        ("unknown", "198.51.100.7", False),
    ],
)
def test_networks(one: str, other: str, is_same: bool) -> None:
    assert devices.is_known(program="x", address=one, seen=[("x", other)]) is is_same
    assert not devices.is_known(program="y", address=one, seen=[("x", other)])


class TestLives:
    def limited(self, **values: int) -> None:
        services.change_security_settings(actor=machine(), **values)

    def test_a_session_that_rests_too_long_ends(self, alice: User) -> None:
        self.limited(session_idle_minutes=30)
        start = clock.now()
        with clock.frozen(start):
            signed = sign_in(alice, somebody())
        assert signed.session.expires_at == start + timedelta(minutes=30)
        with clock.frozen(start + timedelta(minutes=29)):
            again = services.refresh_session(refresh_token=signed.tokens.refresh, actor=somebody())
        assert again.session.expires_at == start + timedelta(minutes=59)
        before = snapshot()
        with clock.frozen(start + timedelta(minutes=59)), pytest.raises(RefreshRefused):
            services.refresh_session(refresh_token=again.tokens.refresh, actor=somebody())
        assert changed(before) == []

    def test_no_diligence_prolongs_the_whole_life(self, alice: User) -> None:
        self.limited(session_days=1)
        start = clock.now()
        with clock.frozen(start):
            signed = sign_in(alice, somebody())
        assert signed.session.expires_at == start + timedelta(days=1)
        with clock.frozen(start + timedelta(hours=23)):
            signed = services.refresh_session(refresh_token=signed.tokens.refresh, actor=somebody())
        assert signed.session.expires_at == start + timedelta(days=1)
        with clock.frozen(start + timedelta(days=1)), pytest.raises(RefreshRefused):
            services.refresh_session(refresh_token=signed.tokens.refresh, actor=somebody())

    def test_a_shorter_life_counts_from_the_next_refresh(self, alice: User) -> None:
        start = clock.now()
        with clock.frozen(start):
            signed = sign_in(alice, somebody())
        assert signed.session.expires_at == start + timedelta(days=7)
        self.limited(session_days=1, session_idle_minutes=15)
        with clock.frozen(start + timedelta(hours=1)):
            again = services.refresh_session(refresh_token=signed.tokens.refresh, actor=somebody())
        assert again.session.expires_at == start + timedelta(minutes=75)

    def test_an_older_session_than_the_new_whole_life_is_over(self, alice: User) -> None:
        start = clock.now()
        with clock.frozen(start):
            signed = sign_in(alice, somebody())
        self.limited(session_days=1)
        with clock.frozen(start + timedelta(days=2)), pytest.raises(RefreshRefused):
            services.refresh_session(refresh_token=signed.tokens.refresh, actor=somebody())

    @pytest.mark.parametrize(
        "values",
        [
            {"session_idle_minutes": 14},
            {"session_idle_minutes": 10_081},
            {"session_days": 0},
            {"session_days": 91},
            {"surprise": 1},
        ],
    )
    def test_lives_have_bounds(self, values: dict[str, int], tenant: Any) -> None:
        client = client_of(make_person("Ada Admin", role="admin"))
        before = snapshot()
        answer = client.patch("/api/v1/security-settings/", values)
        assert answer.status_code == 400
        assert changed(before) == []

    def test_the_settings_are_shown_and_kept(self, tenant: Any) -> None:
        client = client_of(make_person("Ada Admin", role="admin"))
        path = "/api/v1/security-settings/"
        assert client.get(path).json()["session_days"] == 30
        changed_to = client.patch(path, {"session_days": 7, "session_idle_minutes": 60}).json()
        assert changed_to == client.get(path).json()
        assert (changed_to["session_days"], changed_to["step_up_minutes"]) == (7, 10)
