"""What happens around every request, whatever view answers it."""

import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from shared_apps.kernel import request_ids
from shared_apps.kernel.errors import (
    DomainError,
    Forbidden,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooManyRequests,
)

from .problems import problem_response
from .throttling import RateLimit, rate_limit_headers

log = structlog.get_logger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]

_API = "/api/"


class RequestIdMiddleware:
    """Accepts or makes `X-Request-Id`, binds it to the logs and gives it back. Outermost."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = request_ids.accepted_or_made(request.META.get("HTTP_X_REQUEST_ID"))
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.monotonic()
        try:
            response = self.get_response(request)
            # The path without its query: filters may hold names.
            log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                milliseconds=round((time.monotonic() - started) * 1000),
            )
        finally:
            structlog.contextvars.clear_contextvars()
        response.headers["X-Request-Id"] = request_id
        return response


class RateLimitMiddleware:
    """Tells the limits in answers that no view of ours gave, and counts those.

    After the routing, because a counter belongs to an organization.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not request.path_info.startswith(_API) or "RateLimit" in response.headers:
            return response
        limit = RateLimit()
        counted = getattr(request, "rate_limits", None)
        if counted is None and not limit.allow_request(request, None):
            wait = int(limit.wait() or 1)
            response = problem_response(TooManyRequests(retry_after=wait), request=request)
        for name, value in rate_limit_headers(getattr(request, "rate_limits", ())).items():
            response.headers[name] = value
        return response


class ProblemMiddleware:
    """Under /api/ no error is a page: what Django says in HTML is said as a problem.

    Second, right inside `RequestIdMiddleware`. It meets what never reaches a view:
    addresses that do not exist, hosts that are not ours, bodies that are too large.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path_info.startswith(_API):
            return response
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        problem = problem_response(_error_for_status(response.status_code), request=request)
        _keep_headers(of=response, on=problem)
        return problem


_BY_STATUS: dict[int, type[DomainError]] = {
    error.status: error
    for error in (MalformedRequest, Forbidden, NotFound, MethodNotAllowed, TooLarge)
}


def _error_for_status(status: int) -> DomainError:
    fallback = InternalError if status >= 500 else MalformedRequest
    return _BY_STATUS.get(status, fallback)()


def _keep_headers(*, of: HttpResponseBase, on: HttpResponse) -> None:
    for name in ("Allow", "Vary", "Retry-After"):
        if name in of.headers:
            on.headers[name] = of.headers[name]
