"""Settles the past: fixes when each transfer became known, and makes the snapshots of it.

A balance stays locked from its change to the commit, so the versions of a balance become visible
in their order, without a gap: a list of balances with their versions says exactly what is visible
at a moment. What a settlement sees for the first time became known in the interval since the last
one: at its `posted_at`, if that lies in the interval. A transaction that committed late is put at
its beginning, a clock that runs ahead at its end, so that instants follow the versions closely.

All of a settlement is one transaction: it happens or it does not, and the next one goes on from the
positions. It takes no lock that a posting waits for.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from shared_apps.kernel import clock
from tenants.context import current_organization

from . import sizes
from .settling_sql import FOLD, FOLD_CREDIT, MOVED, MOVED_CREDIT, PLAN, UNPLAN

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
        cursor.execute(
            "INSERT INTO ledger_settlement (id, day_offset_minutes, transfers) VALUES (1, %s, 0)"
            " ON CONFLICT (id) DO NOTHING",
            [_day_offset()],
        )
        cursor.execute(
            "SELECT settled_until, day_offset_minutes, transfers FROM ledger_settlement"
            " WHERE id = 1 FOR NO KEY UPDATE SKIP LOCKED"
        )
        row = cursor.fetchone()
        if row is None:
            return None
        former, offset, count = row
        cursor.execute(MOVED)
        moved = cursor.fetchall()
        cursor.execute(MOVED_CREDIT)
        moved_credit = cursor.fetchall()
        # After looking, so that what was seen is known at this instant.
        until = clock.now()
        if former is not None:
            until = max(until, former + _INSTANT)
        since = datetime.min.replace(tzinfo=UTC) if former is None else former + _INSTANT
        times = {"since": since, "until": until}
        fresh = 0
        if moved_credit:
            lines, settled, versions = (list(column) for column in zip(*moved_credit, strict=True))
            read = {"lines": lines, "settled": settled, "versions": versions}
            cursor.execute(FOLD_CREDIT, {**read, **times})
        if moved:
            accounts, stripes, settled, versions = (
                list(column) for column in zip(*moved, strict=True)
            )
            cursor.execute(PLAN)
            cursor.execute(
                FOLD,
                {
                    "accounts": accounts,
                    "stripes": stripes,
                    "settled": settled,
                    "versions": versions,
                    **times,
                    "offset": offset,
                    "count": count,
                    "deep": sizes.DEEP,
                    "block": sizes.BLOCK,
                    "segment": sizes.SEGMENT,
                },
            )
            (fresh,) = cursor.fetchone() or (0,)
            cursor.execute(UNPLAN)
        cursor.execute(
            "UPDATE ledger_settlement SET settled_until = %s, transfers = transfers + %s"
            " WHERE id = 1",
            [until, fresh],
        )
    return Settled(transfers=fresh, until=until)


def _day_offset() -> int:
    """The organization's standard distance from UTC, in minutes."""
    zone = ZoneInfo(current_organization().time_zone)
    winter = datetime(2026, 1, 1, tzinfo=zone).utcoffset() or timedelta()
    return int(winter.total_seconds() // 60)
