"""What every answer says to browsers and caches, and whom scripts of other pages may be."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from shared_apps.kernel.errors import catalog

ACME = "acme.kontor.test"
FRIEND, STRANGER = "https://app.kontor.example", "https://evil.example"
HEALTH = "/api/health/"
PATHS = (
    "/api/schema/",
    "/api/v1/payments/",
    "/api/v1/no-such-thing/",
    "/swagger/",
    "/no-such-page/",
)


@pytest.fixture
def client(tenant: Any) -> Client:
    return Client(HTTP_HOST=ACME, raise_request_exception=False)


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_framed_sniffed_or_referred(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_the_health_check_answers_before_all_that_and_is_guarded_too(client: Client) -> None:
    for method in ("get", "post", "put", "delete"):
        answer = getattr(client, method)(HEALTH)
        assert answer.status_code == (200 if method == "get" else 405)
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Cache-Control"] == "no-store"
        assert answer["X-Request-Id"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_an_id(client: Client, path: str) -> None:
    assert client.get(path)["X-Request-Id"]


def test_answers_of_the_api_are_kept_by_no_cache(client: Client) -> None:
    assert client.get("/api/v1/payments/")["Cache-Control"] == "no-store"
    assert client.post("/api/token/", {}, content_type="application/json")["Cache-Control"] == (
        "no-store"
    )


def test_transport_is_secured_where_it_is_https(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    fresh = Client(HTTP_HOST=ACME, raise_request_exception=False)
    hsts = fresh.get("/api/v1/payments/", secure=True)["Strict-Transport-Security"]
    assert hsts == "max-age=31536000; includeSubDomains"


def test_no_answer_names_what_serves_it(client: Client) -> None:
    for path in (HEALTH, *PATHS):
        answer = client.get(path)
        assert not {"Server", "X-Powered-By"} & set(answer.headers)
        assert b"Traceback" not in answer.content


class TestScriptsOfOtherPages:
    def preflight(self, client: Client, origin: str) -> Any:
        return client.options(
            "/api/v1/payments/",
            HTTP_ORIGIN=origin,
            HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST",
            HTTP_ACCESS_CONTROL_REQUEST_HEADERS="authorization,idempotency-key,if-match",
        )

    def test_are_refused_unless_they_are_named(self, client: Client) -> None:
        for answer in (
            self.preflight(client, STRANGER),
            client.get("/api/v1/payments/", HTTP_ORIGIN=STRANGER),
            client.get("/api/v1/payments/", HTTP_ORIGIN="null"),
        ):
            assert "Access-Control-Allow-Origin" not in answer

    def test_may_send_what_the_api_asks_for(self, client: Client, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = [FRIEND]
        answer = self.preflight(client, FRIEND)
        assert answer["Access-Control-Allow-Origin"] == FRIEND
        allowed = answer["Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "idempotency-key", "if-match", "x-request-id"):
            assert name in allowed, allowed
        # Tokens travel in a header: no cookie is ever sent along.
        assert "Access-Control-Allow-Credentials" not in answer

    def test_may_read_what_the_api_says(self, client: Client, settings: Any) -> None:
        settings.CORS_ALLOWED_ORIGINS = [FRIEND]
        answer = client.get("/api/v1/payments/", HTTP_ORIGIN=FRIEND)
        shown = answer["Access-Control-Expose-Headers"].lower()
        for name in ("etag", "idempotency-replayed", "dry-run", "x-request-id", "retry-after"):
            assert name in shown, shown
        assert "origin" in answer["Vary"].lower()

    def test_are_refused_when_their_name_only_looks_alike(
        self, client: Client, settings: Any
    ) -> None:
        settings.CORS_ALLOWED_ORIGINS = [FRIEND]
        for origin in (
            f"{FRIEND}.evil.example",
            "https://evil-app.kontor.example",
            "http" + FRIEND[5:],
        ):
            answer = client.get("/api/v1/payments/", HTTP_ORIGIN=origin)
            assert "Access-Control-Allow-Origin" not in answer


def test_every_code_is_named_once() -> None:
    codes = [error.code for error in catalog()]
    assert len(codes) == len(set(codes))
