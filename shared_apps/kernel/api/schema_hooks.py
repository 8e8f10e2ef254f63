"""Last touches to the whole OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from .problems import MEDIA_TYPE
from .renderers import EnvelopeRenderer

_METHODS = {"get", "put", "post", "delete", "patch"}
_UNSAFE = {"put", "post", "delete", "patch"}

_FIELD_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "detail", "pointer"],
    "properties": {
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "pointer": {
            "type": "string",
            "description": "JSON pointer (RFC 6901) into the body, or to a query parameter.",
        },
    },
}

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Some problems carry further members.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "Stable; the documented list is closed."},
        "request_id": {"type": "string"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}},
    },
}

_HEADERS: dict[str, Any] = {
    "RequestId": {
        "description": "The id under which this request is logged.",
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of each limit, and for how many seconds.",
        "schema": {"type": "string"},
    },
    "RateLimitPolicy": {
        "description": "The limits: quota and window in seconds.",
        "schema": {"type": "string"},
    },
    "RetryAfter": {
        "description": "Seconds to wait before asking again.",
        "schema": {"type": "integer", "minimum": 1},
    },
}

_EVERYWHERE = {
    "X-Request-Id": "RequestId",
    "RateLimit": "RateLimit",
    "RateLimit-Policy": "RateLimitPolicy",
}

# status: (component, what it says, it tells when to come back)
_PROBLEMS: dict[str, tuple[str, str, bool]] = {
    "400": ("BadInput", "The input is not valid.", False),
    "401": ("NotAuthenticated", "Nobody is signed in.", False),
    "403": ("Forbidden", "It is visible but not allowed.", False),
    "404": ("NotFound", "It does not exist or is not visible.", False),
    "409": ("Conflict", "The state does not allow it, or a race was lost.", False),
    "412": ("PreconditionFailed", "It has changed since it was read.", False),
    "422": ("RuleRefused", "A rule of the business says no.", False),
    "429": ("TooManyRequests", "Too many requests.", True),
    "503": ("DependencyDown", "A part of the service is not available.", True),
    "default": ("Problem", "Any other failure.", False),
}
_ONLY_UNSAFE = {"409", "412", "422"}


def document_problems(result: Any, **_context: Any) -> Any:
    """Say of every operation which problems it may answer and which headers come along."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(Problem=_PROBLEM, FieldError=_FIELD_ERROR)
    components.setdefault("headers", {}).update(_HEADERS)
    responses = components.setdefault("responses", {})
    for component, description, waits in _PROBLEMS.values():
        responses[component] = _problem_response(description, waits=waits)
    for method, operation in _operations(result):
        for response in operation["responses"].values():
            headers = response.setdefault("headers", {})
            for name, component in _EVERYWHERE.items():
                headers.setdefault(name, _header(component))
            _wrap_envelope(response)
        for status, (component, _, _) in _PROBLEMS.items():
            if method in _UNSAFE or status not in _ONLY_UNSAFE:
                ref = {"$ref": f"#/components/responses/{component}"}
                operation["responses"].setdefault(status, ref)
    return result


def _wrap_envelope(response: dict[str, Any]) -> None:
    media = response.get("content", {}).get(EnvelopeRenderer.media_type)
    if media is not None and "schema" in media:
        media["schema"] = {
            "type": "object",
            "required": ["status", "data"],
            "properties": {"status": {"const": "Success"}, "data": media["schema"]},
        }


def modernise(result: Any, **_context: Any) -> Any:
    """Turn what the generator still says in the manner of OpenAPI 3.0 into 3.1."""
    waiting: list[Any] = [result]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            node.pop("x-spec-enum-id", None)
            _modernise_bounds(node)
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return result


def _modernise_bounds(node: dict[str, Any]) -> None:
    for bound, exclusive in (
        ("maximum", "exclusiveMaximum"),
        ("minimum", "exclusiveMinimum"),
    ):
        if node.get(exclusive) is True and bound in node:
            node[exclusive] = node.pop(bound)


def _operations(result: Any) -> Iterator[tuple[str, Any]]:
    for item in result.get("paths", {}).values():
        for method, operation in item.items():
            if method in _METHODS:
                yield method, operation


def _header(component: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{component}"}


def _problem_response(description: str, *, waits: bool) -> dict[str, Any]:
    headers = {name: _header(component) for name, component in _EVERYWHERE.items()}
    if waits:
        headers["Retry-After"] = _header("RetryAfter")
    return {
        "description": description,
        "headers": headers,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
