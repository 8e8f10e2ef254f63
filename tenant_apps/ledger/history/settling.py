"""Settles the past: fixes when each transfer became known, and makes the snapshots of it.

A balance stays locked from its change to the commit, so the versions of a balance become visible
in their order, without a gap: a list of balances with their versions says exactly what is visible
at a moment. What a settlement sees for the first time became known in the interval since the last
one: at its `posted_at`, if that lies in the interval. A transaction that committed late is put at
its beginning, a clock that runs ahead at its end, so that instants follow the versions closely.

What it writes is one transaction: it happens or it does not, and the next one goes on from the
positions. Two database functions write; the organization's own role may only read what they wrote.

Before, it looks. A transfer whose credit waits to be counted is seen by its debit, and has to have
its place on the other account as well: so the look counts what it sees, while it keeps others from
counting there. For that moment a debit of such an account waits; nothing else does.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from shared_apps.kernel import clock
from tenant_apps.ledger.folding import credited_later, fold, fold_waiting, lock_for_counting
from tenants.context import current_organization

from . import sizes
from .settling_sql import LOCK, MOVED, MOVED_CREDIT, SETTLE

_INSTANT = timedelta(microseconds=1)
# A line of the chart that is credited later for the first time is met while it is not locked.
_ATTEMPTS = 5


class _Unlocked(Exception):
    """Credits wait for an account that was not locked before the look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a settlement did: how many transfers it saw first, and until when all is settled."""

    transfers: int
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What is visible at a moment: balances and credit lines that moved, up to which version."""

    former: datetime | None
    until: datetime
    balances: list[tuple[UUID, int, int]]
    credit_lines: list[tuple[UUID, int]]


def settle() -> Settled | None:
    """Settle what is visible now; None where another settlement of this organization is running.

    Idempotent: where nothing moved, only the horizon does.
    """
    seen = _look()
    return None if seen is None else _write(seen)


def _look() -> _Seen | None:
    """See what is there, and count whatever of it waits to be counted, in one short transaction."""
    for _ in range(_ATTEMPTS):
        # What waits is counted before, portion by portion; under the locks, only what came since.
        fold_waiting()
        with transaction.atomic():
            claimed = _claimed()
            if claimed is None:
                return None
            with suppress(_Unlocked), transaction.atomic():
                return _seen(*claimed)
    return None


def _claimed() -> tuple[datetime | None] | None:
    """Until when all is settled, locked; None where another settlement is running."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [_day_offset()])
        row: tuple[datetime | None] | None = cursor.fetchone()
    return row


def _seen(former: datetime | None) -> _Seen:
    """What is visible. Nobody else counts into the same accounts between the look and the counting.

    So whatever has a version up to the one that is seen belongs to a transfer that is seen.

    :raises _Unlocked: credits of an account wait that had none before.
    """
    locked = credited_later()
    lock_for_counting(account_ids=locked)
    with connection.cursor() as cursor:
        cursor.execute(MOVED)
        rows: list[tuple[UUID, int, int, list[UUID] | None]] = cursor.fetchall()
        cursor.execute(MOVED_CREDIT)
        credit_lines = cursor.fetchall()
    # After looking, so that what was seen is known at this instant.
    until = clock.now()
    if former is not None:
        until = max(until, former + _INSTANT)
    if not {account_id for account_id, *_, waiting in rows if waiting} <= set(locked):
        raise _Unlocked
    balances = []
    for account_id, stripe, version, waiting in rows:
        counted = 0
        if waiting:
            counted = fold(account_id=account_id, limit=len(waiting), only=waiting)
        balances.append((account_id, stripe, version + counted))
    return _Seen(former=former, until=until, balances=balances, credit_lines=credit_lines)


@transaction.atomic
def _write(seen: _Seen) -> Settled | None:
    """Write what was seen, unless another settlement came between."""
    claimed = _claimed()
    if claimed is None or claimed[0] != seen.former:
        return None
    accounts, stripes, versions = _columns(seen.balances, 3)
    lines, line_versions = _columns(seen.credit_lines, 2)
    with connection.cursor() as cursor:
        cursor.execute(
            SETTLE,
            {
                "accounts": accounts,
                "stripes": stripes,
                "versions": versions,
                "lines": lines,
                "line_versions": line_versions,
                "until": seen.until,
                "deep": sizes.DEEP,
                "block": sizes.BLOCK,
                "segment": sizes.SEGMENT,
            },
        )
        (fresh,) = cursor.fetchone() or (0,)
    return Settled(transfers=fresh, until=seen.until)


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]


def _day_offset() -> int:
    """The organization's standard distance from UTC, in minutes."""
    zone = ZoneInfo(current_organization().time_zone)
    winter = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    return int(winter.total_seconds() // 60)
