"""How much of a credit line was used and held as of a day, as known at an instant.

Its entries are read from the first one: each says by how much it changed the line. They have no
snapshots, so a line with very many entries takes long.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from .balances import day_text
from .instants import known

# The limit is the one that the last known decision about it set.
_STATE = """
WITH entry AS (
    SELECT e.*
      FROM ledger_creditlineentry e
      LEFT JOIN ledger_settledcreditline p ON p.line_id = e.line_id
      LEFT JOIN ledger_latearrival l ON l.transfer_id = e.id
     WHERE e.line_id = %(line)s AND e.effective_on <= %(as_of)s
       AND (%(at)s::timestamptz IS NULL
            OR (e.version <= p.version AND coalesce(l.recorded_at, e.recorded_at) <= %(at)s))
)
SELECT coalesce(sum(used_change), 0), coalesce(sum(held_change), 0),
       (array_agg(limit_minor ORDER BY version DESC) FILTER (WHERE kind = 'limit'))[1]
  FROM entry
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
    at = None if known_at is None else known(at=known_at).at
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"line": line_id, "as_of": day_text(as_of), "at": at})
        used, held, limit = cursor.fetchone() or (0, 0, None)
    return Exposure(limit_minor=limit, used_minor=int(used), held_minor=int(held))
