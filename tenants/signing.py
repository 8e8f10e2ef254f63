"""Signed values that only the organization which signed them accepts."""

from datetime import timedelta
from typing import Any

from django.core import signing

from tenants.context import tenant_marker


def _salt(purpose: str) -> str:
    return f"kontor:{tenant_marker()}:{purpose}"


def sign(value: dict[str, Any], *, purpose: str) -> str:
    """A URL-safe text that carries `value`, its time, and the organization's seal."""
    return signing.dumps(value, salt=_salt(purpose))


def unsign(token: str, *, purpose: str, max_age: timedelta) -> dict[str, Any]:
    """The value of `sign`.

    :raises django.core.signing.SignatureExpired: older than `max_age`.
    :raises django.core.signing.BadSignature: changed, for another purpose, or of another
        organization.
    """
    value: dict[str, Any] = signing.loads(token, salt=_salt(purpose), max_age=max_age)
    return value
