"""The functions of credit lines, called from Python: a change, many, or with what posts a sale."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tenants.connections import connection

from .database import MAX_BATCH, POSTING_CALLS, posting_values, refusals_by_name, written
from .entries import CreditChange, Leg, Outcome

_OPEN_CREDIT_LINE = """
    SELECT ledger_open_credit_line(%s::uuid, %s::text, %s::uuid, %s::text, %s::smallint)
"""
_CHANGE_CREDIT_LINE = """
    SELECT ledger_change_credit_line(
        %s::uuid, %s::bytea, %s::uuid, %s::text, %s::bigint, %s::bigint, %s::bigint, %s::date,
        %s::text, %s::uuid, %s::text, %s::uuid, %s::timestamptz)
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""
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
# The lines first: the posting function takes the id that the other one answers.
_POST_USING_CREDIT = {
    deferred: f"""
    SELECT o.* FROM ledger_use_credit(
        %s::uuid[], %s::uuid[], %s::uuid, %s::bytea, %s::bigint, %s::text, %s::date, %s::text,
        %s::uuid, %s::uuid, %s::timestamptz) AS t (id),
    {call.format(id="t.id")} AS o
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""  # noqa: S608 - both parts are constants
    for deferred, call in POSTING_CALLS.items()
}


def open_credit_line(
    *, line_id: UUID, subject_type: str, subject_id: UUID, currency: str, lock_rank: int
) -> bool:
    """Open a line without a limit, unless it is open; answer whether it was not."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_CREDIT_LINE, [line_id, subject_type, subject_id, currency, lock_rank])
        (opened,) = cursor.fetchone()
    return bool(opened)


def change_credit_line(
    *,
    change: CreditChange,
    line_id: UUID,
    limit_minor: int | None,
    request_hash: bytes,
    recorded_at: datetime,
    actor_id: UUID | None,
) -> bool:
    """Change a line; answer whether this very change had been made before.

    :raises UnknownCreditLine: there is no such line.
    :raises PostingMismatch: the id belongs to a change with other content.
    :raises AboveLimit: more would be in use than the limit allows.
    :raises CreditNotInUse: more would be given back than is in use.
    :raises BooksStopped: nothing is changed until somebody starts the books again.
    """
    values = (
        change.id,
        request_hash,
        line_id,
        change.kind,
        change.used.minor,
        change.held.minor,
        limit_minor,
        change.effective_on,
        change.source_type,
        change.source_id,
        change.reason,
        actor_id,
        recorded_at,
    )
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        cursor.execute(_CHANGE_CREDIT_LINE, values)
        ((replayed,),) = written(cursor)
    return bool(replayed)


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
    with refusals_by_name(), connection.prepared_cursor() as cursor:
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


def post_using_credit(
    *, leg: Leg, lines: Mapping[UUID, UUID], posted_at: datetime, actor_id: UUID | None
) -> Outcome:
    """Write a leg and use its amount of credit lines (with the ids of their entries), in one call.

    The lines are locked in the order given, before the balances. Raises what `post_legs` and
    `change_credit_lines` raise.
    """
    uses = (
        list(lines),
        list(lines.values()),
        leg.id,
        leg.request_hash,
        leg.amount.minor,
        leg.amount.currency,
        leg.effective_on,
        leg.source_type,
        leg.source_id,
        actor_id,
        posted_at,
    )
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        values = posting_values(leg, posted_at=posted_at, actor_id=actor_id)
        cursor.execute(_POST_USING_CREDIT[leg.credit_deferred], [*uses, *values])
        (row,) = written(cursor)
    return Outcome.of(row)
