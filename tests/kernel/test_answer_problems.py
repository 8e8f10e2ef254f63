"""Every failure is a problem of RFC 9457, and tells nothing it should not."""

import re
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import redis.exceptions
from django.conf import settings as django_settings
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import DataError, IntegrityError, InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombu.exceptions import OperationalError as BrokerError
from rest_framework import exceptions as drf

from shared_apps.kernel.api.middleware import ProblemMiddleware, RequestIdMiddleware
from shared_apps.kernel.api.translation import domain_error_for, flatten
from shared_apps.kernel.errors import Conflict, DomainError
from tests.kernel.conftest import Api

AN_ID = "1f0b9a52-7c5d-4f11-9d39-3a1f6b7c8d9e"
MEMBERS = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def test_tells_a_named_failure_in_full(api: Api) -> None:
    response = api.post(f"things/{AN_ID}/refusal/", HTTP_X_REQUEST_ID="req-12345678")
    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert response["Retry-After"] == "9"
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {
        "type": "https://kontor.example/errors/kerneltest_refused",
        "title": "The exhibit refuses.",
        "status": 422,
        "detail": "Not today.",
        "code": "kerneltest_refused",
        "request_id": "req-12345678",
        "errors": [],
        "until": "tomorrow",
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nothing/", 404, "not_found"),
        ("GET", "things/not-an-id/", 404, "not_found"),
        ("GET", "things/%00/", 404, "not_found"),
        ("GET", "things/%ff%fe/", 404, "not_found"),
        ("GET", f"things/{'9' * 500}/", 404, "not_found"),
        ("PUT", "things/", 405, "method_not_allowed"),
        ("OPTIONS", "things/", 405, "method_not_allowed"),
        ("TRACE", "things/", 405, "method_not_allowed"),
        ("BREW", "things/", 405, "method_not_allowed"),
        ("POST", "things/outage/", 503, "dependency_down"),
        ("POST", "things/bug/", 500, "internal_error"),
    ],
)
def test_every_failure_has_the_same_form(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    response = api.send(method, path)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == MEMBERS
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == response["X-Request-Id"]


def test_is_json_whatever_is_accepted(api: Api) -> None:
    refused = api.get("single/", HTTP_ACCEPT="text/html")
    assert refused.status_code == 406
    assert refused.json()["code"] == "not_acceptable"
    enveloped = api.post(
        f"things/{AN_ID}/refusal/", HTTP_ACCEPT="application/vnd.kontor.envelope+json"
    )
    assert enveloped["Content-Type"] == "application/problem+json"
    assert enveloped.json()["code"] == "kerneltest_refused"


@pytest.mark.parametrize("debug", [False, True])
def test_tells_nothing_of_the_cause(api: Api, monkeypatch: pytest.MonkeyPatch, debug: bool) -> None:
    monkeypatch.setattr(django_settings, "DEBUG", debug)
    for path in ("things/outage/", "things/bug/"):
        content = api.post(path).content
        for secret in (b"alice", b"10.0.0.7", b"secret", b"Zero", b"Traceback"):
            assert secret not in content


def test_names_the_methods_that_are_allowed(api: Api) -> None:
    assert api.send("PUT", "single/")["Allow"] == "GET, HEAD"
    assert "Accept" in api.get("single/")["Vary"]


def test_says_when_to_come_back(api: Api) -> None:
    assert api.post("things/outage/")["Retry-After"] == "5"


def _of_database(kind: type[Exception], cause: Exception | None) -> Exception:
    exc = kind("secret text")
    exc.__cause__ = cause
    return exc


@pytest.mark.parametrize(
    ("exc", "status", "code"),
    [
        (Http404("secret"), 404, "not_found"),
        (PermissionDenied("secret"), 403, "forbidden"),
        (SuspiciousOperation("secret"), 400, "malformed_request"),
        (RequestDataTooBig("secret"), 413, "too_large"),
        (drf.ParseError(), 400, "malformed_request"),
        (drf.NotAuthenticated(), 401, "not_authenticated"),
        (drf.AuthenticationFailed({"detail": "Over.", "code": "x"}), 401, "not_authenticated"),
        (drf.Throttled(wait=2.1), 429, "too_many_requests"),
        (drf.APIException("secret"), 500, "internal_error"),
        (_of_database(OperationalError, None), 503, "dependency_down"),
        (_of_database(InterfaceError, None), 503, "dependency_down"),
        (_of_database(OperationalError, psycopg.errors.AdminShutdown()), 503, "dependency_down"),
        (
            _of_database(OperationalError, psycopg.errors.TooManyConnections()),
            503,
            "dependency_down",
        ),
        (_of_database(OperationalError, psycopg.errors.QueryCanceled()), 503, "dependency_down"),
        (_of_database(OperationalError, psycopg.errors.LockNotAvailable()), 409, "conflict"),
        (_of_database(OperationalError, psycopg.errors.DeadlockDetected()), 409, "conflict"),
        (_of_database(IntegrityError, psycopg.errors.UniqueViolation()), 409, "conflict"),
        (_of_database(IntegrityError, psycopg.errors.NotNullViolation()), 500, "internal_error"),
        (_of_database(InternalError, psycopg.errors.RaiseException()), 500, "internal_error"),
        (_of_database(DataError, psycopg.errors.NumericValueOutOfRange()), 400, "invalid_input"),
        (redis.exceptions.ConnectionError("secret"), 503, "dependency_down"),
        (redis.exceptions.TimeoutError("secret"), 503, "dependency_down"),
        (BrokerError("secret"), 503, "dependency_down"),
        (KeyError("secret"), 500, "internal_error"),
        (Conflict(), 409, "conflict"),
    ],
)
def test_translates(exc: Exception, status: int, code: str) -> None:
    error = domain_error_for(exc)
    assert (error.status, error.code) == (status, code)
    assert "secret" not in str(error)
    if status in (429, 503):
        assert error.retry_after


def test_translates_the_errors_of_a_model() -> None:
    error = domain_error_for(
        ValidationError({"name": [ValidationError("Too long.", code="max")], "__all__": ["No."]})
    )
    assert [(item.pointer, item.code, item.detail) for item in error.errors] == [
        ("/name", "max", "Too long."),
        ("", "invalid", "No."),
    ]


def test_flattens_any_nesting() -> None:
    detail = drf.ValidationError(
        {
            "lines": [{}, {"amount": ["Bad."]}, ["Worse."]],
            "non_field_errors": ["Together wrong."],
            "map": {"a.b": {"c/d": ["Odd."]}},
        }
    ).detail
    assert [(error.pointer, error.detail) for error in flatten(detail)] == [
        ("/lines/1/amount", "Bad."),
        ("/lines/2", "Worse."),
        ("", "Together wrong."),
        ("/map/a.b/c~1d", "Odd."),
    ]


def test_asks_for_credentials_where_they_are_missing(rf: Any) -> None:
    from shared_apps.kernel.api.problems import exception_handler

    response = exception_handler(drf.NotAuthenticated(), {"request": rf.get("/")})
    assert response is not None
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "malformed_request"), (403, "forbidden"), (404, "not_found"), (413, "too_large"),
     (418, "malformed_request"), (500, "internal_error"), (502, "internal_error")],
)  # fmt: skip
def test_no_error_under_the_api_is_a_page(rf: Any, status: int, code: str) -> None:
    page = HttpResponse("<h1>secret</h1>", status=status, headers={"Allow": "GET"})
    answer: Any = ProblemMiddleware(lambda request: page)(rf.get("/api/v1/x/"))
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Allow"] == "GET"
    assert f'"code":"{code}"'.encode() in answer.content
    assert b"secret" not in answer.content


def test_pages_elsewhere_stay_pages(rf: Any) -> None:
    page = HttpResponse("<h1>no</h1>", status=404)
    assert ProblemMiddleware(lambda request: page)(rf.get("/admin/")) is page


@pytest.mark.parametrize("offered", ["abcdefgh", "a.b_c-d9" * 16])
def test_accepts_a_harmless_request_id(rf: Any, offered: str) -> None:
    answer = _through_request_id(rf, offered)
    assert answer["X-Request-Id"] == offered


@pytest.mark.parametrize(
    "offered", ["", "short", "x" * 129, "with space", "new\nline-1234", "<script>12", "é" * 10]
)
def test_makes_its_own_where_the_offered_one_is_not(rf: Any, offered: str) -> None:
    answer = _through_request_id(rf, offered)
    assert answer["X-Request-Id"] != offered
    assert re.fullmatch("[0-9a-f]{32}", answer["X-Request-Id"])


def _through_request_id(rf: Any, offered: str) -> Any:
    seen: list[str] = []

    def view(request: Any) -> HttpResponse:
        seen.append(request.request_id)
        return HttpResponse()

    answer = RequestIdMiddleware(view)(rf.get("/", HTTP_X_REQUEST_ID=offered))
    assert seen == [answer["X-Request-Id"]]
    return answer


def test_the_base_itself_is_no_answer() -> None:
    assert DomainError().status == 500


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from(
        ["HTTP_ACCEPT", "CONTENT_TYPE", "HTTP_IF_MATCH", "HTTP_X_REQUEST_ID", "HTTP_HOST",
         "HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION", "HTTP_USER_AGENT"]
    ),
    st.text(st.characters(max_codepoint=255), max_size=60)
    | st.from_regex(r"\A[a-z/*;=, \"\d]{0,40}\Z"),
)  # fmt: skip
def test_no_header_brings_the_api_down(api: Api, name: str, value: str) -> None:
    for method in ("GET", "PATCH"):
        extra = {name: value} if name != "CONTENT_TYPE" else {"content_type": value}
        assert api.send(method, f"things/{AN_ID}/", {}, **extra).status_code < 500


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.text(max_size=40).map(quote), st.text(max_size=40).map(quote))
def test_no_address_brings_the_api_down(api: Api, path: str, query: str) -> None:
    assert api.get(f"things/{path}/?{query}={query}").status_code in (400, 404)
