"""Transactions that are run again whole after a collision, and those that see one moment."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog
from django.db import OperationalError, connection, transaction

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


@contextmanager
def one_moment(*, read_only: bool = True) -> Iterator[None]:
    """A transaction whose statements all see the database as it was at the first of them.

    Inside a caller's transaction it is the caller's level that holds.
    """
    inside = connection.in_atomic_block
    if not inside:
        with connection.cursor() as cursor:
            # The switch to the organization travels with the next statement. It is a query, and
            # within the transaction it would come before the level is set.
            cursor.execute("SELECT")
    with transaction.atomic():
        if not inside:
            access = " READ ONLY" if read_only else ""
            with connection.cursor() as cursor:
                cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ{access}")
        yield
