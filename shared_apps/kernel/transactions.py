"""The whole transaction once more, where the database gave up one of several that collided."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import OperationalError, connection

log = structlog.get_logger(__name__)

TRIES = 4
_PAUSE_SECONDS = 0.02
_DEADLOCK, _SERIALIZATION = "40P01", "40001"

Answer = TypeVar("Answer")


def retrying(
    transact: Callable[[], Answer], *, rewind: Callable[[], object] | None = None
) -> Answer:
    """What `transact` answers, which opens a transaction and ends it, after at most `TRIES` tries.

    It runs again where the database ended its transaction for a deadlock or a serialization
    failure, so it must do nothing that outlives a rollback. `rewind` undoes before another try
    what is not the database's: a file that was read, names that were learnt. Nothing is tried
    again within a caller's transaction, which is lost with the first error: whoever opened it
    repeats it.

    :raises OperationalError: it failed for another reason, or once too often.
    """
    if connection.in_atomic_block:
        return transact()
    for attempt in range(1, TRIES):
        try:
            return transact()
        except OperationalError as error:
            sqlstate = getattr(error.__cause__, "sqlstate", None)
            if sqlstate not in (_DEADLOCK, _SERIALIZATION):
                raise
            log.info("transaction_repeated", attempt=attempt, sqlstate=sqlstate)
        if rewind is not None:
            rewind()
        # Whoever collided does not come back at the same moment.
        time.sleep(_PAUSE_SECONDS * attempt * (1 + random.random()))  # noqa: S311
    return transact()
