"""Every exception that leaves a view becomes one of our named failures here."""

import math
from collections.abc import Iterator
from typing import Any

import redis.exceptions
import structlog
from django.core import exceptions as django_errors
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from kombu.exceptions import OperationalError as BrokerError
from rest_framework import exceptions as drf_errors
from rest_framework.settings import api_settings

from shared_apps.kernel.errors import (
    BadInput,
    Conflict,
    DependencyDown,
    DomainError,
    FieldError,
    Forbidden,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
    pointer_to,
)

log = structlog.get_logger(__name__)

_LOST_RACE = {
    "23505",  # unique_violation
    "23P01",  # exclusion_violation
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
}
_UNAVAILABLE = {
    "53300",  # too_many_connections
    "57014",  # query_canceled
    "57P01",  # admin_shutdown
    "57P02",  # crash_shutdown
    "57P03",  # cannot_connect_now
}
_CONNECTION_CLASS = "08"


def domain_error_for(exc: BaseException) -> DomainError:
    """The named failure that an exception means to the caller.

    Whatever nobody expected is an `InternalError`, which tells nothing of its cause.
    """
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, drf_errors.APIException):
        return _from_drf(exc)
    if isinstance(exc, DatabaseError | InterfaceError):
        return _from_database(exc)
    if isinstance(
        exc, redis.exceptions.ConnectionError | redis.exceptions.TimeoutError | BrokerError
    ):
        return DependencyDown()
    return _from_django(exc)


def _from_django(exc: BaseException) -> DomainError:
    if isinstance(exc, Http404):
        return NotFound()
    if isinstance(exc, django_errors.PermissionDenied):
        return Forbidden()
    if isinstance(exc, django_errors.ValidationError):
        return BadInput(errors=_fields_of(exc))
    if isinstance(exc, django_errors.RequestDataTooBig):
        return TooLarge()
    if isinstance(
        exc, django_errors.SuspiciousOperation | django_errors.BadRequest | UnreadablePostError
    ):
        return MalformedRequest()
    return InternalError()


def _fields_of(exc: django_errors.ValidationError) -> Iterator[FieldError]:
    by_field = exc.error_dict if hasattr(exc, "error_dict") else {"": exc.error_list}
    for name, errors in by_field.items():
        pointer = "" if name in ("", django_errors.NON_FIELD_ERRORS) else pointer_to(name)
        for error in errors:
            for message in error.messages:
                yield FieldError(code=error.code or "invalid", detail=message, pointer=pointer)


def _from_database(exc: Exception) -> DomainError:
    sqlstate = getattr(exc.__cause__, "sqlstate", None) or ""
    if sqlstate in _LOST_RACE and isinstance(exc, IntegrityError | OperationalError):
        log.warning("lost_race", sqlstate=sqlstate, error=type(exc).__name__)
        return Conflict("Somebody else was faster. Read again and try again.", retry_after=1)
    if isinstance(exc, DataError):
        # Serializers should have refused it; the caller still sent something impossible.
        log.warning("database_refused_value", sqlstate=sqlstate)
        return BadInput("A value is outside what can be stored.")
    unreachable = isinstance(exc, OperationalError | InterfaceError) and not sqlstate
    if unreachable or sqlstate in _UNAVAILABLE or sqlstate.startswith(_CONNECTION_CLASS):
        return DependencyDown()
    return InternalError()


def _from_drf(exc: drf_errors.APIException) -> DomainError:
    if isinstance(exc, drf_errors.ValidationError):
        return BadInput(errors=flatten(exc.detail))
    if isinstance(exc, drf_errors.AuthenticationFailed):
        return NotAuthenticated(_sentence(exc.detail))
    if isinstance(exc, drf_errors.NotAuthenticated):
        return NotAuthenticated()
    if isinstance(exc, drf_errors.Throttled):
        return TooManyRequests(retry_after=max(1, math.ceil(getattr(exc, "wait", None) or 1)))
    for known, named in _NAMED:
        if isinstance(exc, known):
            return named(_sentence(exc.detail))
    return _by_status(exc)


_NAMED: tuple[tuple[type[drf_errors.APIException], type[DomainError]], ...] = (
    (drf_errors.ParseError, MalformedRequest),
    (drf_errors.PermissionDenied, Forbidden),
    (drf_errors.NotFound, NotFound),
    (drf_errors.MethodNotAllowed, MethodNotAllowed),
    (drf_errors.NotAcceptable, NotAcceptable),
    (drf_errors.UnsupportedMediaType, UnsupportedMediaType),
)

_BY_STATUS: dict[int, type[DomainError]] = {
    named.status: named
    for named in (
        BadInput,
        NotAuthenticated,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        TooManyRequests,
        DependencyDown,
    )
}


def _by_status(exc: drf_errors.APIException) -> DomainError:
    named = _BY_STATUS.get(exc.status_code, InternalError)
    return InternalError() if named is InternalError else named(_sentence(exc.detail))


def _sentence(detail: Any) -> str:
    """The text of a DRF detail, which may be a list or (simplejwt) a dict."""
    if isinstance(detail, dict):
        detail = detail.get("detail", "")
    if isinstance(detail, list):
        detail = detail[0] if detail else ""
    return str(detail)


def flatten(detail: Any, path: tuple[str | int, ...] = ()) -> list[FieldError]:
    """DRF's nested error details as a list, each with the JSON pointer of its place.

    Names are taken as they are: a dot or slash in one does not make it two.
    """
    if isinstance(detail, dict):
        return [
            error
            for name, inner in detail.items()
            for error in flatten(
                inner, path if name == api_settings.NON_FIELD_ERRORS_KEY else (*path, name)
            )
        ]
    if isinstance(detail, list | tuple):
        found: list[FieldError] = []
        for index, inner in enumerate(detail):
            inside = (*path, index) if isinstance(inner, dict | list | tuple) else path
            found.extend(flatten(inner, inside))
        return found
    return [
        FieldError(
            code=str(getattr(detail, "code", None) or "invalid"),
            detail=str(detail),
            pointer=pointer_to(*path),
        )
    ]
