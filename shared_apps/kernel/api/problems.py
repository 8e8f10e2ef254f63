"""Problem details (RFC 9457): the one form that every failure of the API has.

The handling (rollback, the signal that error monitors listen to, the log of what nobody
expected) is drf-standardized-errors'. Its formatter is not used: it joins places with
dots, from which a JSON pointer cannot be told when a name itself holds a dot.
"""

import sys
from typing import Any

from django.http import HttpRequest, HttpResponse
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from rest_framework import exceptions as drf_errors
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from shared_apps.kernel.errors import (
    DomainError,
    Forbidden,
    InternalError,
    MalformedRequest,
    NotFound,
)
from shared_apps.kernel.money import Money

from .requests import request_id_of
from .translation import domain_error_for

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "https://kontor.example/errors/"

_MEMBERS = frozenset({"type", "title", "status", "detail", "code", "request_id", "errors"})


def problem_type(code: str) -> str:
    """The URI that identifies a kind of problem."""
    return TYPE_PREFIX + code


def problem_for(error: DomainError, *, request_id: str) -> dict[str, Any]:
    """The problem details of a failure. `extra` never replaces a standard member."""
    extra = {
        name: value.to_json() if isinstance(value, Money) else value
        for name, value in error.extra.items()
        if name not in _MEMBERS
    }
    return {
        "type": problem_type(error.code),
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
        "errors": [
            {"code": item.code, "detail": item.detail, "pointer": item.pointer}
            for item in error.errors
        ],
        **extra,
    }


def headers_for(error: DomainError) -> dict[str, str]:
    """The headers that a failure's status asks for."""
    headers = {"Cache-Control": "no-store"}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, error.retry_after))
    return headers


class ProblemResponse(Response):
    """Always JSON, whatever the view renders and the client would rather have."""

    @property
    def rendered_content(self) -> Any:
        self["Content-Type"] = MEDIA_TYPE
        return JSONRenderer().render(self.data)


class _Translated(drf_errors.APIException):
    """Carries a named failure through the handler, which knows DRF's exceptions only."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(detail=error.detail, code=error.code)
        self.status_code = error.status
        self.error = error


def _error_in(exc: drf_errors.APIException) -> DomainError:
    return exc.error if isinstance(exc, _Translated) else domain_error_for(exc)


class ProblemFormatter(ExceptionFormatter):
    """Formats a translated failure."""

    def run(self) -> dict[str, Any]:
        request_id = request_id_of(self.context.get("request"))
        return problem_for(_error_in(self.exc), request_id=request_id)


class ProblemHandler(ExceptionHandler):
    """Handles every exception alike, with DEBUG or without."""

    def convert_known_exceptions(self, exc: Exception) -> Exception:
        return _Translated(domain_error_for(exc))

    def should_not_handle(self, exc: Exception) -> bool:
        return False

    def format_exception(self, exc: drf_errors.APIException) -> dict[str, Any]:
        return ProblemFormatter(exc, self.context, self.exc).run()

    def get_response(self, exc: drf_errors.APIException, data: dict[str, Any]) -> Response:
        return ProblemResponse(data, status=exc.status_code, headers=headers_for(_error_in(exc)))


def exception_handler(exc: Exception, context: Any) -> Response | None:
    """DRF's EXCEPTION_HANDLER."""
    return ProblemHandler(exc, context).run()


def problem_response(error: DomainError, *, request: HttpRequest) -> HttpResponse:
    """The same answer outside DRF: for middleware and for Django's error handlers."""
    return HttpResponse(
        JSONRenderer().render(problem_for(error, request_id=request_id_of(request))),
        status=error.status,
        content_type=MEDIA_TYPE,
        headers=headers_for(error),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler400` of the URL configurations."""
    error = domain_error_for(exception) if exception is not None else MalformedRequest()
    return problem_response(
        error if error.status in (400, 413) else MalformedRequest(), request=request
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler403` of the URL configurations."""
    del exception  # Its text is not meant for the caller.
    return problem_response(Forbidden(), request=request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """`handler404` of the URL configurations."""
    del exception  # In its text stand all the addresses there are.
    return problem_response(NotFound("There is nothing at this address."), request=request)


def server_error(request: HttpRequest) -> HttpResponse:
    """`handler500` of the URL configurations; a dependency that is down answers 503."""
    exc = sys.exc_info()[1]
    error = InternalError() if exc is None else domain_error_for(exc)
    return problem_response(error if error.status >= 500 else InternalError(), request=request)
