"""An access token opens the API while its session lives, in its organization, and no longer."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.accounts import services
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.tokens import AccessToken, token_pair
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenants.context import tenant_context
from tests.accounts.clients import HostClient

ADDRESS = "/api/auth/user/"


def claims(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(payload: dict[str, Any], **options: Any) -> str:
    return jwt.encode(payload, options.pop("key", settings.SECRET_KEY), **options)


def get(token: str, host: str = "acme.kontor.test") -> Any:
    return HostClient(host).carrying(token).get(ADDRESS)


def test_loads_session_and_person_in_one_statement(signed_in: services.SignIn) -> None:
    from rest_framework.test import APIRequestFactory

    from shared_apps.accounts.authentication import TokenAuthentication

    request = APIRequestFactory().get(
        ADDRESS, HTTP_AUTHORIZATION=f"Bearer {signed_in.tokens.access}"
    )
    with CaptureQueriesContext(connection) as queries:
        found = TokenAuthentication().authenticate(request)  # type: ignore[arg-type]

    assert found is not None
    assert found[1].user.full_name == "Alice Owner"
    assert len(queries) == 1


def test_refuses_without_a_token(client: HostClient, tenant: Any) -> None:
    answer = client.get(ADDRESS)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer a b",
        "Bearer x",
        "Bearer " + "x" * 5000,
        "Bearer a.b.c",
        "Bearer \xe9\xe9\xe9",
        "bearer x",
        "Basic YTpi",
        "Token x",
    ],
)
def test_refuses_a_malformed_header(header: str, client: HostClient, tenant: Any) -> None:
    assert client.get(ADDRESS, HTTP_AUTHORIZATION=header).status_code == 401


def test_says_that_a_token_has_expired(signed_in: services.SignIn) -> None:
    token = AccessToken(signed_in.tokens.access.encode())
    token.set_exp(lifetime=-timedelta(seconds=1))
    answer = get(str(token))

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_expired"


def test_refuses_a_refresh_token(signed_in: services.SignIn) -> None:
    answer = get(signed_in.tokens.refresh)

    assert answer.status_code == 401
    assert answer.json()["code"] == "token_invalid"


def test_refuses_forgeries(signed_in: services.SignIn) -> None:
    payload = claims(signed_in.tokens.access)
    head, body, signature = signed_in.tokens.access.split(".")
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "typ": "JWT"}).encode())
    unsigned = f"{none.decode().rstrip('=')}.{body}."
    forgeries = [
        unsigned,
        f"{none.decode().rstrip('=')}.{body}.{signature}",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}.",
        signed(payload, algorithm="none", key=""),
        signed(payload, key="another key of thirty-two characters", algorithm="HS256"),
        signed(payload, algorithm="HS512"),
        signed({**payload, "exp": 10**12}, key="x" * 40, algorithm="HS256"),
    ]
    assert [get(token).status_code for token in forgeries] == [401] * len(forgeries)


@pytest.mark.parametrize("claim", ["org", "sid", "user_id", "exp", "jti", "token_type"])
def test_refuses_a_token_that_lacks_a_claim(claim: str, signed_in: services.SignIn) -> None:
    payload = claims(signed_in.tokens.access)
    del payload[claim]

    assert get(signed(payload, algorithm="HS256")).status_code == 401


@pytest.mark.parametrize("claim", ["org", "sid", "user_id"])
@pytest.mark.parametrize("value", [None, 1, "", "x", [], {}, "\x00"])
def test_refuses_a_token_with_a_wrong_claim(
    claim: str, value: Any, signed_in: services.SignIn
) -> None:
    payload = {**claims(signed_in.tokens.access), claim: value}

    assert get(signed(payload, algorithm="HS256")).status_code == 401


def test_refuses_somebody_elses_session(signed_in: services.SignIn, bob: User) -> None:
    payload = {**claims(signed_in.tokens.access), "user_id": str(bob.pk)}

    assert get(signed(payload, algorithm="HS256")).status_code == 401


def test_refuses_the_token_of_a_neighbour(
    signed_in: services.SignIn, neighbour: Any, visitor: Actor
) -> None:
    session = signed_in.session
    with tenant_context(neighbour):
        # The same ids stand next door, so that only the seal can tell.
        User.objects.bulk_create([User(id=session.user_id, email="twin@x.example")])
        Session.objects.bulk_create(
            [
                Session(
                    id=session.id,
                    user_id=session.user_id,
                    current_token_id=session.current_token_id,
                    last_seen_at=session.last_seen_at,
                    expires_at=session.expires_at,
                )
            ]
        )
        theirs = token_pair(session=Session.objects.get())

    assert get(signed_in.tokens.access).status_code == 200
    assert get(signed_in.tokens.access, "neighbour.kontor.test").status_code == 401
    assert get(theirs.access, "neighbour.kontor.test").status_code == 200
    assert get(theirs.access).status_code == 401
    crossed = HostClient().post("/api/token/refresh/", {"refresh": theirs.refresh})
    assert crossed.status_code == 401
    assert Session.objects.get().revoked_at is None


def test_ends_at_once_when_the_session_does(
    signed_in: services.SignIn, as_alice: HostClient
) -> None:
    assert as_alice.get(ADDRESS).status_code == 200
    as_alice.post("/api/auth/logout/")
    answer = as_alice.get(ADDRESS)

    assert answer.status_code == 401
    assert answer.json()["code"] == "session_ended"


def test_ends_at_once_when_the_person_is_deactivated(
    signed_in: services.SignIn, as_alice: HostClient, manager: Actor
) -> None:
    services.deactivate_user(user_id=signed_in.user.pk, actor=manager)

    assert as_alice.get(ADDRESS).status_code == 401


def test_stays_ended_when_the_person_is_let_in_again(
    signed_in: services.SignIn, as_alice: HostClient, manager: Actor
) -> None:
    services.deactivate_user(user_id=signed_in.user.pk, actor=manager)
    services.reactivate_user(user_id=signed_in.user.pk, actor=manager)

    assert as_alice.get(ADDRESS).status_code == 401


def test_ends_with_the_sessions_seven_days(signed_in: services.SignIn) -> None:
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        assert get(signed_in.tokens.access).status_code == 401
