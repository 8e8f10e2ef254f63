"""What was given out by one organization, spent or not, opens nothing in another."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from shared_apps.access.actors import system_actor
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.services import one_time_secrets, start_session
from tenants.context import tenant_context
from tenants.models import Organization
from tests.template import repeatable_ids

PASSWORD = "a password that stays as it is"
HOSTS = {"t_test_acme": "acme.kontor.test", "t_test_neighbour": "neighbour.kontor.test"}


def person_of(organization: Organization) -> tuple[User, Any]:
    """A person and a session, with the same ids in both organizations."""
    with tenant_context(organization), transaction.atomic(), repeatable_ids(day=3):
        person = User(email="same@person.example", full_name="The Same")
        person.set_password(PASSWORD)
        person.save()
        signed_in = start_session(user=person, method="credentials", actor=system_actor("test"))
    return person, signed_in


@pytest.fixture
def both(organization: Organization, neighbour: Organization) -> dict[str, Any]:
    return {each.schema_name: (each, *person_of(each)) for each in (organization, neighbour)}


def post(host: str, path: str, body: dict[str, Any]) -> Any:
    former = connection.tenant  # type: ignore[attr-defined]
    client = Client(HTTP_HOST=host, raise_request_exception=False)
    try:
        return client.post(path, body, content_type="application/json")
    finally:
        connection.set_tenant(former)  # type: ignore[attr-defined]


def live_sessions(organization: Organization) -> int:
    with tenant_context(organization):
        return int(Session.objects.filter(revoked_at__isnull=True).count())


def test_a_refresh_token_spent_or_not_refreshes_only_at_home(both: dict[str, Any]) -> None:
    acme, _, at_home = both["t_test_acme"]
    neighbour, _, _ = both["t_test_neighbour"]
    first = at_home.tokens.refresh
    strange = HOSTS["t_test_neighbour"]
    assert post(strange, "/api/token/refresh/", {"refresh": first}).status_code == 401
    rotated = post(HOSTS["t_test_acme"], "/api/token/refresh/", {"refresh": first})
    assert rotated.status_code == 200
    for token in (first, rotated.json()["refresh"]):
        assert post(strange, "/api/token/refresh/", {"refresh": token}).status_code == 401
        # Signing out answers the same whatever is shown; what counts stands below.
        post(strange, "/api/token/blacklist/", {"refresh": token})
    # Nothing that the neighbour was shown ended a session anywhere.
    assert live_sessions(acme) == 1
    assert live_sessions(neighbour) == 1


def test_a_reset_token_sets_a_password_only_at_home(both: dict[str, Any]) -> None:
    acme, person, _ = both["t_test_acme"]
    with tenant_context(acme), transaction.atomic():
        token = one_time_secrets.issue(user=person, purpose=one_time_secrets.Purpose.RESET)
    wanted = "another password altogether"
    body = {"token": token, "new_password1": wanted, "new_password2": wanted}
    path = "/api/auth/password/reset/confirm/"
    assert 400 <= post(HOSTS["t_test_neighbour"], path, body).status_code < 500
    for organization, user, _ in both.values():
        with tenant_context(organization):
            assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert post(HOSTS["t_test_acme"], path, body).status_code == 200
    # Spent at home, it is nothing anywhere.
    for host in HOSTS.values():
        assert 400 <= post(host, path, body).status_code < 500
    with tenant_context(both["t_test_neighbour"][0]):
        assert User.objects.get().check_password(PASSWORD)


def test_cookies_of_the_platform_open_no_organization(both: dict[str, Any]) -> None:
    client = Client(HTTP_HOST="kontor.test", raise_request_exception=False)
    client.get("/admin/login/")
    client.cookies["sessionid"] = "a" * 32
    for host in HOSTS.values():
        for path in ("/api/v1/deals/", "/api/v1/profile/"):
            assert client.get(path, HTTP_HOST=host).status_code == 401
        assert client.get("/admin/", HTTP_HOST=host).status_code == 404
