"""Many changes of credit lines in one statement."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from .database import MAX_BATCH, refusals_by_name, written
from .entries import CreditChange

# Evaluated row by row behind the sort, so the lines are locked in the order given.
_CHANGE_CREDIT_LINES = """
    SELECT c.id, ledger_change_credit_line(
               c.id, c.request_hash, c.line, c.kind, c.used, c.held, NULL, c.effective_on,
               c.source_type, c.source_id, c.reason, %s::uuid, %s::timestamptz)
      FROM unnest(
               %s::uuid[], %s::bytea[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[],
               %s::date[], %s::text[], %s::uuid[], %s::text[])
           WITH ORDINALITY AS c (
               id, request_hash, line, kind, used, held, effective_on, source_type, source_id,
               reason, place)
     WHERE NOT EXISTS (SELECT FROM ledger_stop)
     ORDER BY c.place
"""


def change_credit_lines(
    *,
    changes: Sequence[tuple[CreditChange, UUID, bytes]],
    recorded_at: datetime,
    actor_id: UUID | None,
) -> dict[UUID, bool]:
    """Change lines in the order given (change, line, request hash), none of them a limit.

    Answers, by the id of each change, whether it had been made before. Raises what
    `change_credit_line` raises.
    """
    replayed: dict[UUID, bool] = {}
    with refusals_by_name(), connection.cursor() as cursor:
        for start in range(0, len(changes), MAX_BATCH):
            rows = (
                (
                    change.id,
                    request_hash,
                    line_id,
                    change.kind,
                    change.used.minor,
                    change.held.minor,
                    change.effective_on,
                    change.source_type,
                    change.source_id,
                    change.reason,
                )
                for change, line_id, request_hash in changes[start : start + MAX_BATCH]
            )
            columns = [list(column) for column in zip(*rows, strict=True)]
            cursor.execute(_CHANGE_CREDIT_LINES, [actor_id, recorded_at, *columns])
            replayed.update(written(cursor))
    return replayed
