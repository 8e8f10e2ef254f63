"""Tell a background task that there is work, at most once per burst of commits.

The work itself always lies in the database and a scheduled poll finds it too, so a call that is
lost (Redis gone, broker flushed) costs time and nothing else. Three things keep a burst of a
thousand commits from becoming a thousand tasks: one call per transaction, a flag in the cache
that says "a call is on its way", and a task that drains everything it finds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache import cache
from django.db import connection, transaction

from tenants.context import organization_or_none, platform_context, tenant_context

logger = structlog.get_logger(__name__)

# A flag whose task was lost expires soon; until then the poll is what finds the work.
_FLAG_SECONDS = 10
# After a failure this process does not try again at once: a dead host takes seconds to find out,
# and nobody who commits should wait for that.
_REST_SECONDS = 5.0

_callers: dict[str, Callable[[], None]] = {}
_resting_until = 0.0


def register_caller(queue: str, caller: Callable[[], None]) -> None:
    """Say how the task that drains a queue is called in the present tenant."""
    _callers[queue] = caller


def _flag(queue: str) -> str:
    return f"waking:{queue}"


def call_is_taken(queue: str) -> None:
    """The draining task says this before its first look: later work needs a call of its own."""
    try:
        cache.delete(_flag(queue))
    except Exception as error:
        logger.warning("waking_flag_not_cleared", queue=queue, error=repr(error))


class _Wake:
    """An on-commit callback that remembers whose queue it is about."""

    def __init__(self, *, queue: str, organization: Any) -> None:
        self.queue = queue
        self.organization = organization

    def is_same(self, other: object) -> bool:
        return (
            isinstance(other, _Wake)
            and other.queue == self.queue
            and getattr(other.organization, "pk", None) == getattr(self.organization, "pk", None)
        )

    def __call__(self) -> None:
        # The context may have changed between the write and the commit (a sign-up does that). Where
        # it has not, entering it again would have the next statement choose the schema anew.
        if self.organization is not None and organization_or_none() is self.organization:
            wake_now(self.queue)
            return
        if self.organization is None:
            context: Any = platform_context(reason=f"wake {self.queue}")
        else:
            context = tenant_context(self.organization)
        with context:
            wake_now(self.queue)


def wake_now(queue: str) -> None:
    """Call the task of the queue unless a call is on its way. Never raises: the poll remains."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return
    try:
        if cache.add(_flag(queue), 1, timeout=_FLAG_SECONDS):
            _callers[queue]()
    except Exception as error:
        _resting_until = time.monotonic() + _REST_SECONDS
        logger.warning("waking_failed", queue=queue, error=repr(error))


def wake_after_commit(queue: str) -> None:
    """Wake the queue of the present tenant when the transaction commits, once per transaction."""
    wake = _Wake(queue=queue, organization=organization_or_none())
    # One that stands there already vanishes only with a savepoint that we are in as well.
    if not any(wake.is_same(callback) for _, callback, *_ in connection.run_on_commit):
        transaction.on_commit(wake)
