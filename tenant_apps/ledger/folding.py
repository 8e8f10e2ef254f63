"""Counts the credits that wait: each gets its version, and its balance is raised once for many.

Whoever only wants to know what an account holds need not wait for it: every reader adds what waits.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import structlog
from django.db import DataError, OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from shared_apps.kernel.operations import step

from .models import DeferredCredit

# As a call for the task is named, in a key of the cache: so without spaces.
QUEUE = "deferred-credits"

logger = structlog.get_logger(__name__)

# So many credits are counted in one statement, in which a debit of the same account waits.
PORTION = 1000

_CREDITED_LATER = """
SELECT a.id FROM ledger_account a
 WHERE a.parent_id IN (SELECT c.id FROM ledger_account c WHERE c.deferred)
    OR a.id IN (SELECT w.account_id FROM ledger_deferredcredit w)
 ORDER BY a.lock_rank, a.id
"""


def credited_later() -> list[UUID]:
    """The accounts that credits may wait for, in the order of locks."""
    with connection.cursor() as cursor:
        cursor.execute(_CREDITED_LATER)
        return [account_id for (account_id,) in cursor.fetchall()]


@step
def lock_line(*, line_id: UUID) -> None:
    """Lock a line of the chart and its accounts; what is credited to them later waits as well.

    It waits for others without keeping them from their end, so it comes first in a transaction.

    :raises OperationalError: somebody was posting there for seconds without a pause.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock_line(%s::uuid)", [line_id])


@step
def lock_for_counting(*, account_ids: Iterable[UUID]) -> None:
    """Lock the accounts so that nobody else counts what waits for them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock_for_counting(%s::uuid[])", [list(account_ids)])


def is_waiting() -> bool:
    """Whether any credit waits to be counted."""
    return DeferredCredit.objects.exists()


@step
def fold(*, account_id: UUID, limit: int, only: Sequence[UUID] | None = None) -> int:
    """Count at most so many of the credits that wait for an account; answer how many.

    With `only`, none but those of these transfers.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_fold(%s::uuid, %s::integer, %s::uuid[])",
            [account_id, limit, None if only is None else list(only)],
        )
        (folded,) = cursor.fetchone()
    return int(folded)


@step
def fold_waiting() -> int:
    """Count what waits, portion by portion in transactions of its own; answer how much.

    An account whose sum would leave 64 bits keeps waiting, and so does one that somebody holds for
    long; they hold up no other.
    """
    folded = 0
    for account_id in credited_later() if is_waiting() else []:
        try:
            folded += _fold_account(account_id)
        except DataError:
            logger.exception("folding_failed", account=str(account_id))
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            logger.warning("folding_waits", account=str(account_id))
    return folded


@step
def fold_for_reading(*, account_id: UUID) -> None:
    """Count what waits for an account, so that its statement has a line for all of it."""
    if DeferredCredit.objects.filter(account_id=account_id).exists():
        _fold_account(account_id)


@step
def fold_under_locks(*, account_ids: Iterable[UUID]) -> None:
    """Count all that waits for accounts that the caller has locked, in the caller's transaction."""
    for account_id in account_ids:
        while fold(account_id=account_id, limit=PORTION) == PORTION:
            pass


def _fold_account(account_id: UUID) -> int:
    folded = 0
    while True:
        with transaction.atomic():
            portion = fold(account_id=account_id, limit=PORTION)
        folded += portion
        if portion < PORTION:
            return folded
