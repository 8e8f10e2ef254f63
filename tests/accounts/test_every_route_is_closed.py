"""Whatever is served on an organization's host: nothing opens without a settled session."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.accounts.clients import HostClient
from tests.people import make_person, session_of

METHODS = ("get", "post", "put", "patch", "delete")
VISITORS = {
    "api/token/",
    "api/token/refresh/",
    "api/token/blacklist/",
    "api/auth/login/",
    "api/auth/password/reset/",
    "api/auth/password/reset/confirm/",
    "api/v1/invitations/acceptance/",
    "api/v1/login-codes/redemption/",
    # Public keys, by which a stranger checks a proof.
    "api/v1/seals/keys/",
    "api/schema/",
    "",
    "swagger/",
    "redoc/",
}
# A signed link is its own proof: it carries the organization's seal and expires.
SIGNED_LINKS = {"api/v1/documents/<uuid:document_id>/content/"}
# Nobody signs in there: a message bears its sender's signature, or is refused like a stranger. They
# are not left out below.
SIGNED_MESSAGES = {"api/v1/charge-callbacks/"}
UNSETTLED = {
    "api/auth/logout/",
    "api/v1/second-factor/",
    "api/v1/second-factor/codes/",
    "api/v1/second-factor/enrolment/",
    "api/v1/second-factor/enrolment/confirmation/",
    "api/v1/second-factor/verification/",
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[str]:
    for pattern in (
        get_resolver("config.urls_tenant").url_patterns if patterns is None else patterns
    ):
        route = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            yield route


def address_of(route: str) -> str:
    import re

    return "/" + re.sub(r"<[^>]+>|\(\?P<[^>]+>[^)]*\)", str(UUID(int=1)), route)


def opened(client: HostClient, known: set[str]) -> list[str]:
    """Method and route of whatever answered otherwise than by closing the door."""
    found = []
    for route in routes():
        if route in known:
            continue
        for method in METHODS:
            answer = getattr(client, method)(address_of(route), HTTP_IDEMPOTENCY_KEY="k-1")
            if answer.status_code not in (401, 403, 404, 405):
                found.append(f"{method} {route}: {answer.status_code}")
    return found


def test_there_are_routes() -> None:
    assert len(list(routes())) > 20
    assert set(routes()) >= VISITORS | UNSETTLED | SIGNED_MESSAGES


def test_a_message_without_a_signature_comes_from_nobody(tenant: Any) -> None:
    from shared_apps.accounts.tokens import token_pair

    for route in SIGNED_MESSAGES:
        answer = HostClient().post(address_of(route), {}, content_type="application/json")
        assert answer.status_code == 401
        # Not even a session makes up for it.
        session = session_of(make_person("Ada Admin", role="admin"))
        carrying = HostClient().carrying(token_pair(session=session).access)
        again = carrying.post(address_of(route), {}, content_type="application/json")
        assert again.status_code == 401


def test_visitors_come_in_nowhere_else(tenant: Any) -> None:
    assert opened(HostClient(), VISITORS | SIGNED_LINKS) == []


@pytest.mark.parametrize("is_enrolled", [True, False])
def test_an_admin_without_the_second_factor_comes_in_nowhere_else(
    is_enrolled: bool, tenant: Any
) -> None:
    from shared_apps.accounts.tokens import token_pair
    from shared_apps.kernel import clock

    ada = make_person("Ada Admin", role="admin")
    if is_enrolled:
        ada.second_factor_enrolled_at = clock.now()
        ada.save(update_fields=["second_factor_enrolled_at"])
    session = session_of(ada, second_factor=False)
    client = HostClient().carrying(token_pair(session=session).access)

    assert opened(client, VISITORS | SIGNED_LINKS | UNSETTLED) == []
