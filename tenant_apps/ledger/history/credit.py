"""How much of a credit line was used and held as of a day, as known at an instant.

Its entries are read from the first one: each says by how much it changed the line. They have no
snapshots, so a line with very many entries takes long.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from .balances import day_text
from .instants import known

# The limit is the one that the last known decision about it set.
_STATES = """
SELECT e.line_id, sum(e.used_change), sum(e.held_change),
       (array_agg(e.limit_minor ORDER BY e.version DESC) FILTER (WHERE e.kind = 'limit'))[1]
  FROM ledger_creditlineentry e
  LEFT JOIN ledger_settledcreditline p ON p.line_id = e.line_id
  LEFT JOIN ledger_latearrival l ON l.transfer_id = e.id
 WHERE e.line_id = ANY(%(lines)s::uuid[]) AND e.effective_on <= %(as_of)s
   AND (%(at)s::timestamptz IS NULL
        OR (e.version <= p.version AND coalesce(l.recorded_at, e.recorded_at) <= %(at)s))
 GROUP BY e.line_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What a credit line was at another time, in minor units; no limit is None."""

    limit_minor: int | None
    used_minor: int
    held_minor: int


def credit_line_at(
    *, line_id: UUID, as_of: date | None = None, known_at: datetime | None = None
) -> Exposure:
    """The line at the end of `as_of`, as it was known at `known_at`.

    A change counts from the day it took effect, a limit too. Without a day, whenever they take
    effect; without an instant, as it is known now.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    return credit_lines_at(line_ids=[line_id], as_of=as_of, known_at=known_at)[line_id]


def credit_lines_at(
    *, line_ids: Sequence[UUID], as_of: date | None = None, known_at: datetime | None = None
) -> dict[UUID, Exposure]:
    """As `credit_line_at`, for each of the lines, in one statement.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    at = None if known_at is None else known(at=known_at).at
    with connection.cursor() as cursor:
        cursor.execute(_STATES, {"lines": list(line_ids), "as_of": day_text(as_of), "at": at})
        found = {
            line_id: Exposure(limit_minor=limit, used_minor=int(used), held_minor=int(held))
            for line_id, used, held, limit in cursor.fetchall()
        }
    unused = Exposure(limit_minor=None, used_minor=0, held_minor=0)
    return {line_id: found.get(line_id, unused) for line_id in line_ids}
