"""The id that one request carries through answers, logs, tasks and the audit."""

import re

import structlog

from .ids import uuid7

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,128}")


def accepted_or_made(offered: str | None) -> str:
    """The caller's id when its form is harmless, a new one otherwise."""
    if offered is not None and _ACCEPTABLE.fullmatch(offered):
        return offered
    return uuid7().hex


def current() -> str:
    """The id of the request or task that runs now; empty when none runs."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))
