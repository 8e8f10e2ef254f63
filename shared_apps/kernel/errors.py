"""Expected failures. Every app names its own by subclassing one of these.

    class AlreadyVerified(Conflict):
        code = "payment_already_verified"
        title = "The payment was verified before."

The API translates them once, into problem details (RFC 9457).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self


def pointer_to(*path: str | int) -> str:
    """The JSON pointer (RFC 6901) of a place in a body; no path is the body itself."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """What is wrong with one value of the input, and where it stands."""

    code: str
    detail: str
    pointer: str = ""

    @classmethod
    def at(cls, *path: str | int, detail: str, code: str = "invalid") -> Self:
        """An error at a path of names and indexes: `at("lines", 0, "amount", detail=...)`."""
        return cls(code=code, detail=detail, pointer=pointer_to(*path))


class DomainError(Exception):
    """An expected failure with a stable code, the HTTP status it means, and a title.

    `detail` tells this occurrence in a sentence; where it says nothing of its own, it is the
    `advice` on what to do, or the title. `extra` holds JSON values that the answer carries beside
    the standard members. `retry_after` is in seconds.
    Nothing secret belongs in any of them: callers read it.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something failed."
    advice: ClassVar[str] = ""

    def __init__(
        self,
        detail: str = "",
        *,
        extra: Mapping[str, Any] | None = None,
        errors: Iterable[FieldError] = (),
        retry_after: int | None = None,
    ) -> None:
        self.detail = detail or self.advice or self.title
        super().__init__(self.detail)
        self.extra = dict(extra or {})
        self.errors = list(errors)
        self.retry_after = retry_after

    def __str__(self) -> str:
        places = "; ".join(f"{error.pointer}: {error.detail}" for error in self.errors)
        return f"{self.detail} ({places})" if places else self.detail


class BadInput(DomainError):
    """The request's content is wrong; `errors` says where."""

    code = "invalid_input"
    status = 400
    title = "The input is not valid."

    @classmethod
    def field(cls, *path: str | int, detail: str, code: str = "invalid") -> Self:
        """One wrong value at a path of names and indexes."""
        return cls(errors=[FieldError.at(*path, detail=detail, code=code)])


class MalformedRequest(BadInput):
    """The request could not even be read: broken JSON, encoding or upload."""

    code = "malformed_request"
    title = "The request cannot be read."


class UnknownParameter(BadInput):
    """A query parameter that this address does not know."""

    code = "unknown_parameter"
    title = "There is no such query parameter."


class InvalidCursor(BadInput):
    """A list's cursor that was not handed out by this list."""

    code = "invalid_cursor"
    title = "The cursor does not belong to this list."


class NotAuthenticated(DomainError):
    """Nobody is signed in, or the session has ended."""

    code = "not_authenticated"
    status = 401
    title = "Sign in first."


class Forbidden(DomainError):
    """The actor may see the thing but not do this with it."""

    code = "forbidden"
    status = 403
    title = "You may not do this."


class NotFound(DomainError):
    """It does not exist, or the actor may not know that it does."""

    code = "not_found"
    status = 404
    title = "There is no such thing."


class MethodNotAllowed(DomainError):
    """The address exists but not for this method."""

    code = "method_not_allowed"
    status = 405
    title = "This address does not take that method."


class NotAcceptable(DomainError):
    """None of the media types the client accepts is spoken here."""

    code = "not_acceptable"
    status = 406
    title = "None of the accepted media types is available."


class Conflict(DomainError):
    """The state of the thing does not allow it now, or a race was lost."""

    code = "conflict"
    status = 409
    title = "The present state does not allow this."


class PreconditionFailed(DomainError):
    """The thing has changed since the caller read it."""

    code = "precondition_failed"
    status = 412
    title = "It has changed since you read it."


class TooLarge(DomainError):
    """The request is bigger than this address takes."""

    code = "too_large"
    status = 413
    title = "The request is too large."


class UnsupportedMediaType(DomainError):
    """The body's content type is not taken here."""

    code = "unsupported_media_type"
    status = 415
    title = "The content type is not supported."


class RuleRefused(DomainError):
    """The input is well formed but a rule of the business says no."""

    code = "rule_refused"
    status = 422
    title = "A rule does not allow this."


class TooManyRequests(DomainError):
    """The caller asks more often than it may."""

    code = "too_many_requests"
    status = 429
    title = "Too many requests."

    def __init__(self, detail: str = "", *, retry_after: int = 1, **rest: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **rest)


class InternalError(DomainError):
    """A fault of ours. It is logged under the request id."""

    code = "internal_error"
    status = 500
    title = "Something went wrong on our side."


class DependencyDown(DomainError):
    """Something Kontor needs (database, cache, a provider) does not answer."""

    code = "dependency_down"
    status = 503
    title = "A part of the service is not available."

    def __init__(self, detail: str = "", *, retry_after: int = 5, **rest: Any) -> None:
        super().__init__(detail, retry_after=retry_after, **rest)


def catalog() -> list[type[DomainError]]:
    """Every named failure whose module has been imported, by status and code.

    A class that only inherits its code adds nothing that a caller could tell apart
    and is left out.
    """
    found: list[type[DomainError]] = []
    waiting = list(DomainError.__subclasses__())
    while waiting:
        error = waiting.pop()
        waiting.extend(error.__subclasses__())
        if "code" in vars(error) and error not in found:
            found.append(error)
    return sorted(found, key=lambda error: (error.status, error.code, error.__qualname__))
