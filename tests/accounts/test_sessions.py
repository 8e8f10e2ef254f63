"""One's own sessions: seen and ended."""

from typing import Any
from uuid import uuid4

import pytest

from shared_apps.accounts import services
from shared_apps.accounts.models import Session, User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import Forbidden
from tests.accounts.clients import HostClient
from tests.accounts.people import PASSWORD

ADDRESS = "/api/v1/sessions/"


@pytest.fixture
def elsewhere(alice: User, visitor: Actor) -> services.SignIn:
    phone = visitor.changed(ip_address="203.0.113.9", user_agent="phone")
    return services.sign_in(email=alice.email, password=PASSWORD, actor=phone)


@pytest.fixture
def bobs(bob: User, visitor: Actor) -> services.SignIn:
    return services.sign_in(email=bob.email, password=PASSWORD, actor=visitor)


def test_shows_where_one_is_signed_in(
    as_alice: HostClient, signed_in: Any, elsewhere: services.SignIn, bobs: Any
) -> None:
    rows = as_alice.get(ADDRESS).json()["results"]

    assert [(row["user_agent"], row["is_present"]) for row in rows] == [
        ("phone", False),
        ("test", True),
    ]
    assert rows[0]["ip_address"] == "203.0.113.9"


def test_ends_another_session(as_alice: HostClient, elsewhere: services.SignIn) -> None:
    assert as_alice.delete(f"{ADDRESS}{elsewhere.session.id}/").status_code == 204

    phone = HostClient().carrying(elsewhere.tokens.access)
    assert phone.get("/api/auth/user/").status_code == 401
    assert as_alice.get("/api/auth/user/").status_code == 200
    entry = AuditEntry.objects.get(event_name="accounts.session_ended")
    assert entry.payload["reason"] == Session.EndReason.REVOKED


def test_does_not_know_somebody_elses(as_alice: HostClient, bobs: services.SignIn) -> None:
    assert as_alice.delete(f"{ADDRESS}{bobs.session.id}/").status_code == 404
    assert as_alice.delete(f"{ADDRESS}{uuid4()}/").status_code == 404
    assert as_alice.delete(f"{ADDRESS}nonsense/").status_code == 404
    bobs.session.refresh_from_db()
    assert bobs.session.revoked_at is None


def test_ends_all_others(
    as_alice: HostClient, elsewhere: services.SignIn, bobs: services.SignIn
) -> None:
    assert as_alice.delete(ADDRESS).status_code == 204

    live = Session.objects.filter(revoked_at__isnull=True)
    assert {session.user_agent for session in live} == {"test"}
    assert live.count() == 2


def test_ends_by_the_refresh_token(client: HostClient, signed_in: services.SignIn) -> None:
    answer = client.post("/api/token/blacklist/", {"refresh": signed_in.tokens.refresh})

    assert answer.status_code == 204
    again = client.post("/api/token/refresh/", {"refresh": signed_in.tokens.refresh})
    assert again.status_code == 401


def test_does_not_tell_whether_there_was_anything_to_end(client: HostClient, tenant: Any) -> None:
    assert client.post("/api/token/blacklist/", {"refresh": "nonsense"}).status_code == 204


def test_an_admin_ends_all_of_somebodys(
    signed_in: services.SignIn, elsewhere: Any, alice: User, manager: Actor, visitor: Actor
) -> None:
    with pytest.raises(Forbidden):
        services.end_sessions_of(user_id=alice.id, actor=visitor)
    assert services.end_sessions_of(user_id=alice.id, actor=manager) == 2
    assert not Session.objects.filter(revoked_at__isnull=True).exists()


def test_takes_as_many_statements_for_twenty_as_for_one(
    as_alice: HostClient, alice: User, visitor: Actor
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    as_alice.get(ADDRESS)
    with CaptureQueriesContext(connection) as one:
        as_alice.get(ADDRESS)
    for _ in range(20):
        services.start_session(user=alice, method="credentials", actor=visitor)
    with CaptureQueriesContext(connection) as twenty:
        assert len(as_alice.get(ADDRESS).json()["results"]) == 21

    assert len(one) == len(twenty)


def test_ends_the_one_used_least_when_there_are_too_many(alice: User, visitor: Actor) -> None:
    from shared_apps.accounts.services.sessions import MOST_SESSIONS

    first = services.start_session(user=alice, method="credentials", actor=visitor).session
    for _ in range(MOST_SESSIONS):
        services.start_session(user=alice, method="credentials", actor=visitor)

    first.refresh_from_db()
    assert first.revoked_reason == Session.EndReason.SURPLUS
    assert Session.objects.filter(revoked_at__isnull=True).count() == MOST_SESSIONS
