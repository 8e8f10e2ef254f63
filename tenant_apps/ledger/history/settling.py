"""Settles the past: fixes when each transfer became known, and makes the snapshots of it.

A balance stays locked from its change to the commit, so the versions of a balance become visible
in their order, without a gap: a list of balances with their versions says exactly what is visible
at a moment. What a settlement sees for the first time became known in the interval since the last
one: at its `posted_at`, if that lies in the interval. A transaction that committed late is put at
its beginning, a clock that runs ahead at its end, so that instants follow the versions closely.

All of a settlement is one transaction: it happens or it does not, and the next one goes on from the
positions. It takes no lock that a posting waits for. Two database functions write; the
organization's own role may only read what they wrote.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from shared_apps.kernel import clock
from tenants.context import current_organization

from . import sizes
from .settling_sql import LOCK, MOVED, MOVED_CREDIT, SETTLE

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a settlement did: how many transfers it saw first, and until when all is settled."""

    transfers: int
    until: datetime


@transaction.atomic
def settle() -> Settled | None:
    """Settle what is visible now; None where another settlement of this organization is running.

    Idempotent: where nothing moved, only the horizon does.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [_day_offset()])
        row = cursor.fetchone()
        if row is None:
            return None
        (former,) = row
        cursor.execute(MOVED)
        accounts, stripes, versions = _columns(cursor.fetchall(), 3)
        cursor.execute(MOVED_CREDIT)
        lines, line_versions = _columns(cursor.fetchall(), 2)
        # After looking, so that what was seen is known at this instant.
        until = clock.now()
        if former is not None:
            until = max(until, former + _INSTANT)
        cursor.execute(
            SETTLE,
            {
                "accounts": accounts,
                "stripes": stripes,
                "versions": versions,
                "lines": lines,
                "line_versions": line_versions,
                "until": until,
                "deep": sizes.DEEP,
                "block": sizes.BLOCK,
                "segment": sizes.SEGMENT,
            },
        )
        (fresh,) = cursor.fetchone() or (0,)
    return Settled(transfers=fresh, until=until)


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [[row[column] for row in rows] for column in range(width)]


def _day_offset() -> int:
    """The organization's standard distance from UTC, in minutes."""
    zone = ZoneInfo(current_organization().time_zone)
    winter = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    return int(winter.total_seconds() // 60)
