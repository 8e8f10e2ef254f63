"""Signing in over HTTP."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from shared_apps.accounts.models import Session, User
from shared_apps.audit.models import AuditEntry
from tests.accounts.people import PASSWORD


def sign_in(client: APIClient, email: str, password: str = PASSWORD, path: str = "token") -> Any:
    return client.post(f"/api/{path}/", {"email": email, "password": password})


@pytest.mark.parametrize("path", ["token", "auth/login"])
def test_answers_tokens_and_the_person(path: str, client: APIClient, alice: User) -> None:
    answer = sign_in(client, alice.email, path=path)

    assert answer.status_code == 200, answer.content
    assert set(answer.json()) == {"access", "refresh", "second_factor", "user"}
    assert answer.json()["second_factor"] == "settled"
    assert answer.json()["user"]["email"] == alice.email
    assert not answer.cookies
    assert AuditEntry.objects.filter(event_name="accounts.session_started").count() == 1


@pytest.mark.parametrize("email", ["ALICE@ACME.EXAMPLE", "Alice@Acme.Example"])
def test_ignores_the_case_of_the_address(email: str, client: APIClient, alice: User) -> None:
    assert sign_in(client, email).status_code == 200


def test_opens_the_api(client: APIClient, alice: User) -> None:
    access = sign_in(client, alice.email).json()["access"]
    answer = client.get("/api/auth/user/", HTTP_AUTHORIZATION=f"Bearer {access}")

    assert answer.status_code == 200
    assert answer.json()["pk"] == str(alice.pk)


def test_answers_alike_for_a_wrong_password_and_for_nobody(client: APIClient, alice: User) -> None:
    wrong = sign_in(client, alice.email, "not the password")
    nobody = sign_in(client, "nobody@acme.example", "not the password")

    assert wrong.status_code == nobody.status_code == 401
    wrong_body, nobody_body = wrong.json(), nobody.json()
    wrong_body.pop("request_id"), nobody_body.pop("request_id")
    assert wrong_body == nobody_body
    assert {*wrong.headers} == {*nobody.headers}
    assert not Session.objects.exists()


def test_hashes_as_often_for_nobody_as_for_somebody(
    client: APIClient, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import Argon2PasswordHasher

    hashed: list[str] = []

    def counted(name: str) -> Any:
        original = getattr(Argon2PasswordHasher, name)

        def call(*given: Any, **named: Any) -> Any:
            hashed.append(name)
            return original(*given, **named)

        return call

    for name in ("encode", "verify"):
        monkeypatch.setattr(Argon2PasswordHasher, name, counted(name))
    counts = []
    for email in (alice.email, "nobody@acme.example"):
        hashed.clear()
        sign_in(client, email, "not the password")
        counts.append(len(hashed))

    assert counts == [1, 1]


def test_asks_the_database_as_often_for_nobody_as_for_somebody(
    client: APIClient, alice: User
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    sign_in(client, "warm-up@acme.example")
    counts = []
    for email in (alice.email, "nobody@acme.example"):
        with CaptureQueriesContext(connection) as queries:
            sign_in(client, email, "not the password")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_refuses_an_inactive_person_like_a_wrong_password(client: APIClient, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    answer = sign_in(client, alice.email)

    assert answer.status_code == 401
    assert answer.json()["code"] == "credentials_refused"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "alice@acme.example"},
        {"email": "alice@acme.example", "password": ""},
        {"email": "alice@acme.example", "password": "x" * 129},
        {"email": "alice@acme.example", "password": "nul\x00"},
        {"email": "nul\x00@acme.example", "password": "x"},
        {"email": "a" * 300 + "@acme.example", "password": "x"},
        {"email": "no address", "password": "x"},
        {"email": "ålice@acme.example", "password": "x"},
        {"email": ["alice@acme.example"], "password": "x"},
        {"email": {"a": 1}, "password": {"b": 2}},
        {"email": "alice@acme.example", "password": "x", "extra": 1},
        [],
        "text",
        None,
    ],
)
def test_refuses_nonsense_with_400(body: Any, client: APIClient, alice: User) -> None:
    answer = client.post("/api/token/", body)

    assert answer.status_code == 400, answer.content
    assert answer["Content-Type"] == "application/problem+json"


def test_records_a_failure_without_the_address(client: APIClient, alice: User) -> None:
    sign_in(client, alice.email, "not the password")
    sign_in(client, "nobody@acme.example", "not the password")

    entries = AuditEntry.objects.filter(event_name="accounts.sign_in_failed").order_by("pk")
    assert [entry.payload["is_known"] for entry in entries] == [True, False]
    assert "acme.example" not in str([entry.payload for entry in entries])
