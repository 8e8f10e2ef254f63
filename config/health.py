"""Is it alive, is it ready: answered before the routing, on every host."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from celery import shared_task
from django.core.cache import caches
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from shared_apps.kernel.api.problems import problem_response
from shared_apps.kernel.errors import MethodNotAllowed
from shared_apps.kernel.request_ids import accepted_or_made
from tenants import structure
from tenants.context import platform_context

ALIVE = "/api/health/"
READY = "/api/health/ready/"
_BEAT_KEY = "worker_beat"
_BEAT_SECONDS = 45
_REMEMBERED_SECONDS = 5.0
# Of many that are behind, so many are named.
_NAMED = 5


@shared_task(platform=True)
def beat() -> None:
    """The scheduler sends it, a worker runs it: together they say that both live."""
    caches["routing"].set(_BEAT_KEY, time.time(), timeout=_BEAT_SECONDS)


def _database() -> str:
    with platform_context(reason="readiness"), connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _cache() -> str:
    caches["routing"].set("readiness", "1", timeout=5)
    return "ok" if caches["routing"].get("readiness") == "1" else "does not remember"


def _worker() -> str:
    return "ok" if caches["routing"].get(_BEAT_KEY) else "no worker has run a task lately"


@dataclass(slots=True)
class Remembered:
    """A check that need not be asked at every probe: its last word serves for a moment."""

    ask: Callable[[], str]
    word: str = ""
    until: float = 0.0

    def __call__(self) -> str:
        if time.monotonic() >= self.until:
            self.word = self.ask()
            self.until = time.monotonic() + _REMEMBERED_SECONDS
        return self.word


def _platform_migrations() -> str:
    with platform_context(reason="readiness"):
        missing = structure.platform_is_behind_by()
    return f"public lacks {_some(missing)}" if missing else "ok"


def _organizations() -> str:
    with platform_context(reason="readiness"):
        behind = structure.organizations_behind(most=_NAMED + 1)
    return f"behind: {_some(behind)}" if behind else "ok"


def _some(names: list[str]) -> str:
    named = ", ".join(names[:_NAMED])
    return f"{named} and more" if len(names) > _NAMED else named


migrations = Remembered(_platform_migrations)
organizations = Remembered(_organizations)

# Without one of these nobody can be served.
NEEDED: dict[str, Callable[[], str]] = {
    "database": _database,
    "cache": _cache,
    "worker": _worker,
    "migrations": migrations,
}
# What one organization lacks takes nobody else out of service: it is told, and no more.
TOLD: dict[str, Callable[[], str]] = {"organizations": organizations}


def readiness() -> tuple[str, dict[str, str]]:
    """Ready, degraded (all that everybody needs is there) or not ready; and each part's word."""
    needed = {name: _asked(check) for name, check in NEEDED.items()}
    told = {name: _asked(check) for name, check in TOLD.items()}
    if set(needed.values()) != {"ok"}:
        status = "not ready"
    else:
        status = "ready" if set(told.values()) == {"ok"} else "degraded"
    return status, needed | told


def _asked(check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, RedisError, OSError) as error:
        return f"unreachable ({type(error).__name__})"


def _described(properties: dict[str, Any], *, means: str) -> dict[str, Any]:
    schema = {"type": "object", "required": list(properties), "properties": properties}
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    return {
        "description": means,
        "headers": headers,
        "content": {"application/json": {"schema": schema}},
    }


def _operation(name: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": name,
        "tags": ["health"],
        "security": [{}],
        "responses": responses,
    }


def describe(result: Any, **_context: Any) -> Any:
    """Put the health checks, which no route serves, into the OpenAPI document."""
    word = {"type": "string"}
    status = {"status": word}
    parts = {**status, "checks": {"type": "object", "additionalProperties": word}}
    alive = {"200": _described(status, means="The process answers.")}
    ready = {
        "200": _described(
            parts, means="Requests are served; `degraded` says that it is not so for everybody."
        ),
        "503": _described(parts, means="A part that all need is not ready, and says why."),
    }
    result["paths"][ALIVE] = {"get": _operation("health_retrieve", alive)}
    result["paths"][READY] = {"get": _operation("health_ready_retrieve", ready)}
    return result


class HealthMiddleware:
    """Answers the health checks; everything else goes on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in (ALIVE, READY):
            return self.get_response(request)
        request_id = accepted_or_made(request.META.get("HTTP_X_REQUEST_ID"))
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self._answer(request)
        # No other middleware sees this answer.
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        response["X-Request-Id"] = request_id
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            refused = problem_response(MethodNotAllowed(), request=request)
            refused["Allow"] = "GET, HEAD"
            return refused
        if request.path == ALIVE:
            return JsonResponse({"status": "alive"})
        status, answers = readiness()
        is_ready = status != "not ready"
        response = JsonResponse(
            {"status": status, "checks": answers}, status=200 if is_ready else 503
        )
        if not is_ready:
            response["Retry-After"] = "5"
        return response


async def socket_health(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The socket server's own health check; it serves no other HTTP."""
    alive = scope["path"] == ALIVE
    body = json.dumps({"status": "alive"} if alive else {"status": 404}).encode()
    await send(
        {
            "type": "http.response.start",
            "status": 200 if alive else 404,
            "headers": [(b"content-type", b"application/json")],
        }
    )
    await send({"type": "http.response.body", "body": body})
