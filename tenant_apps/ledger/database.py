"""The posting functions of the schema, called from Python. Steps: callers have the transaction."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError

from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.money import AmountOutOfRange
from tenants.connections import connection

from .entries import Gathering, HoldRequest, Leg, Outcome, locked_by
from .errors import (
    AboveLimit,
    AccountUnusable,
    AlreadyReversed,
    BelowFloor,
    BooksStopped,
    CreditNotInUse,
    HoldClosed,
    HoldExceeded,
    PeriodIsClosed,
    PostingMismatch,
    UnknownCreditLine,
    UnknownHold,
)

MAX_BATCH = 1000

# The function that posts one leg, by whether its credit may be counted later; `{id}` is the leg's.
POSTING_CALLS = {
    False: """ledger_post_transfer(
        {id}, %s::bytea, %s::uuid, %s::smallint, %s::uuid, %s::smallint, %s::smallint,
        %s::uuid, %s::smallint, %s::smallint, %s::bigint, %s::text, %s::date, %s::text, %s::text,
        %s::text, %s::uuid, %s::uuid, %s::text, %s::uuid, %s::timestamptz)""",
    True: """ledger_post_deferred(
        {id}, %s::bytea, %s::uuid, %s::smallint, %s::uuid, %s::smallint, %s::smallint,
        %s::uuid, %s::bigint, %s::text, %s::date, %s::text, %s::text,
        %s::text, %s::uuid, %s::uuid, %s::text, %s::uuid, %s::timestamptz)""",
}
# Whether the books are stopped has nothing to do with the row: the database looks at it once,
# before it calls the function, and while they are the statement answers no row.
_POST_ONE = {
    deferred: f"""
    SELECT %s::uuid, o.* FROM {call.format(id="%s::uuid")} AS o
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""  # noqa: S608 - both parts are constants
    for deferred, call in POSTING_CALLS.items()
}
_POST_MANY = """
    SELECT * FROM ledger_post_transfers(
        %s::uuid[], %s::bytea[], %s::uuid[], %s::smallint[], %s::uuid[], %s::smallint[],
        %s::uuid[], %s::smallint[], %s::bigint[], %s::text[], %s::date[], %s::text[], %s::text[],
        %s::text[], %s::uuid[], %s::uuid[], %s::text[], %s::uuid, %s::timestamptz, %s::boolean[])
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""

_RESERVE = """
    SELECT o.replayed FROM ledger_reserve(
        %s::uuid, %s::bytea, %s::uuid, %s::bigint, %s::text, %s::timestamptz, %s::text, %s::uuid,
        %s::text, %s::uuid, %s::timestamptz) AS o
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""
_CLOSE_HOLD = """
    SELECT o.account_id, o.state, o.remaining, o.replayed FROM ledger_close_hold(
        %s::uuid, %s::bigint, %s::uuid, %s::text, %s::uuid, %s::timestamptz) AS o
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""

_GATHER = """
    SELECT o FROM ledger_gather(
        %s::uuid, %s::bigint, %s::text, %s::smallint, %s::uuid[], %s::bytea, %s::uuid, %s::date,
        %s::uuid, %s::timestamptz) AS o
    WHERE NOT EXISTS (SELECT FROM ledger_stop)
"""

# SQLSTATEs that the posting functions raise, and what they mean.
_REFUSALS: dict[str, type[DomainError]] = {
    "KL001": AccountUnusable,
    "KL002": PostingMismatch,
    "KL003": PeriodIsClosed,
    "KL005": BelowFloor,
    "KL006": AlreadyReversed,
    "KL009": UnknownHold,
    "KL010": HoldClosed,
    "KL011": HoldExceeded,
    "KL012": UnknownCreditLine,
    "KL013": AboveLimit,
    "KL014": CreditNotInUse,
    "22003": AmountOutOfRange,
}
# Unique constraints of the transfers that two requests can meet at, and what that means. The same
# request in parallel does not: it waits for the balances and is then answered as a replay.
_COLLISIONS: dict[str, type[DomainError]] = {
    "ledger_transfer_pkey": PostingMismatch,
    "ledger_transfer_reversed_once": AlreadyReversed,
    "ledger_hold_pkey": PostingMismatch,
    "ledger_creditlineentry_pkey": PostingMismatch,
}


@contextmanager
def refusals_by_name() -> Iterator[None]:
    """Turn what the posting functions raise into the errors of this app.

    The transaction is spent all the same: whoever wants to go on needs a savepoint around.
    """
    try:
        yield
    except DatabaseError as problem:
        cause: Any = problem.__cause__
        refusal = _REFUSALS.get(getattr(cause, "sqlstate", None) or "")
        if refusal is None and isinstance(problem, IntegrityError):
            refusal = _COLLISIONS.get(cause.diag.constraint_name or "")
        if refusal is None:
            raise
        raise _named(refusal, about=cause.diag.message_detail) from problem


def _named(refusal: type[DomainError], *, about: str | None) -> DomainError:
    if refusal is PeriodIsClosed:
        return refusal(f"{about} lies in a closed period.", extra={"effective_on": about})
    if refusal is BelowFloor:
        return refusal(extra={"account": about})
    if refusal is HoldClosed:
        return refusal(f"The hold is {about}.", extra={"state": about})
    return refusal()


def post_legs(
    *, legs: Sequence[Leg], posted_at: datetime, actor_id: UUID | None
) -> dict[UUID, Outcome]:
    """Write the legs, in the order given, and answer the outcome of each by its id.

    A leg that stands in the books already is answered with what it did then.

    :raises AccountUnusable: an account is missing, closed, or in another currency.
    :raises PostingMismatch: an id belongs to a request with other content.
    :raises PeriodIsClosed: a leg takes effect in a closed period.
    :raises BelowFloor: a balance would fall below its floor.
    :raises AlreadyReversed: what a leg reverses was reversed before.
    :raises BooksStopped: nothing is posted until somebody starts the books again.
    """
    outcomes: dict[UUID, Outcome] = {}
    if len(legs) > MAX_BATCH:
        # Several calls in one transaction: all rows are locked first, in the one lock order.
        lock_balances(account_ids=locked_by(legs))
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        for start in range(0, len(legs), MAX_BATCH):
            batch = legs[start : start + MAX_BATCH]
            if len(batch) == 1:
                leg = batch[0]
                values = posting_values(leg, posted_at=posted_at, actor_id=actor_id)
                cursor.execute(_POST_ONE[leg.credit_deferred], [leg.id, leg.id, *values])
            else:
                rows = ((*_ids(leg), *_sides(leg, ranked=False), *_content(leg)) for leg in batch)
                columns = [list(column) for column in zip(*rows, strict=True)]
                deferred = [leg.credit_deferred for leg in batch]
                later = deferred if any(deferred) else None
                cursor.execute(_POST_MANY, [*columns, actor_id, posted_at, later])
            for id_, *outcome in written(cursor):
                outcomes[id_] = Outcome.of(outcome)
    return outcomes


def posting_values(leg: Leg, *, posted_at: datetime, actor_id: UUID | None) -> tuple[Any, ...]:
    """What the leg's function in `POSTING_CALLS` takes behind the id."""
    _, *ids = _ids(leg)
    return (*ids, *_sides(leg, ranked=True), *_content(leg), actor_id, posted_at)


def written(cursor: Any) -> list[tuple[Any, ...]]:
    """The rows that a posting statement answered; none while the books are stopped."""
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    if not rows:
        raise BooksStopped(
            "The books were found wrong, and nothing is written into them for now. Once they are"
            " put right, an admin of the organization or the platform starts them again."
        )
    return rows


def _ids(leg: Leg) -> tuple[Any, ...]:
    return leg.id, leg.request_hash, leg.journal_id, leg.number


def _sides(leg: Leg, *, ranked: bool) -> tuple[Any, ...]:
    """Both accounts; the function for one transfer is told their ranks, the other reads them."""
    if ranked:
        debit = (leg.debit_account_id, leg.debit_stripe, leg.debit_rank)
        if leg.credit_deferred:
            return (*debit, leg.credit_account_id)
        return (*debit, leg.credit_account_id, leg.credit_stripe, leg.credit_rank)
    return leg.debit_account_id, leg.debit_stripe, leg.credit_account_id, leg.credit_stripe


def _content(leg: Leg) -> tuple[Any, ...]:
    return (
        leg.amount.minor,
        leg.amount.currency,
        leg.effective_on,
        leg.kind,
        leg.rule,
        leg.source_type,
        leg.source_id,
        leg.reverses_id,
        leg.memo,
    )


def reserve(
    *,
    request: HoldRequest,
    account_id: UUID,
    request_hash: bytes,
    reserved_at: datetime,
    actor_id: UUID | None,
) -> bool:
    """Reserve funds on an account; answer whether this very request had been obeyed before.

    :raises AccountUnusable: the account is missing, closed, or in another currency.
    :raises PostingMismatch: the id belongs to a request with other content.
    :raises BelowFloor: the account has not that much left.
    :raises BooksStopped: nothing is reserved until somebody starts the books again.
    """
    values = (
        request.id,
        request_hash,
        account_id,
        request.amount.minor,
        request.amount.currency,
        request.expires_at,
        request.source_type,
        request.source_id,
        request.memo,
        actor_id,
        reserved_at,
    )
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        cursor.execute(_RESERVE, values)
        ((replayed,),) = written(cursor)
    return bool(replayed)


def close_hold(
    *,
    hold_id: UUID,
    captured_minor: int,
    journal_id: UUID | None,
    rest: str,
    recorded_at: datetime,
    actor_id: UUID | None,
) -> tuple[UUID, str, int, bool]:
    """Take from a hold for a journal and keep, release or expire the rest (`rest`).

    Answers the account, the hold's state, what it still holds in minor units, and whether this
    had been done before.

    :raises UnknownHold: there is no such hold.
    :raises HoldClosed: it holds nothing any more.
    :raises HoldExceeded: it holds less than is to be captured.
    :raises BooksStopped: it is not closed until somebody starts the books again.
    """
    values = (hold_id, captured_minor, journal_id, rest, actor_id, recorded_at)
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        cursor.execute(_CLOSE_HOLD, values)
        ((account_id, state, remaining, replayed),) = written(cursor)
    return account_id, state, remaining, replayed


def lock_holds(*, hold_ids: Sequence[UUID], account_ids: Sequence[UUID] = ()) -> None:
    """Lock holds, their balances and these accounts', in lock order, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_lock_holds(%s::uuid[], %s::uuid[])", [list(hold_ids), list(account_ids)]
        )


def lock_balances(*, account_ids: Sequence[UUID]) -> None:
    """Lock the balances of the accounts, in lock order, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_lock_balances(%s::uuid[])", [list(account_ids)])


def open_accounts(
    *,
    accounts: Sequence[tuple[UUID, UUID, str, UUID | None]],
    opened_at: datetime,
    actor_id: UUID | None,
) -> None:
    """Open accounts (id, line of the chart, currency, sub-ledger id) that may exist already."""
    ids, chart_ids, currencies, subledger_ids = (
        list(column) for column in zip(*accounts, strict=True)
    )
    with connection.cursor() as cursor:
        # Whoever closes a line waits for those who are opening accounts under it, and they for
        # whoever is closing it: the statement after this one sees how that ended.
        cursor.execute(
            "SELECT FROM ledger_account WHERE id = ANY (%s::uuid[]) ORDER BY id FOR SHARE",
            [sorted(set(chart_ids))],
        )
        cursor.execute(
            "SELECT ledger_open_accounts(%s::uuid[], %s::uuid[], %s::text[], %s::uuid[],"
            " %s::timestamptz, %s::uuid)",
            [ids, chart_ids, currencies, subledger_ids, opened_at, actor_id],
        )


def open_stripes(*, account_ids: Sequence[UUID]) -> None:
    """Open the balances that the accounts' numbers of stripes ask for."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_open_stripes(%s::uuid[])", [list(account_ids)])


def gather(gathering: Gathering, *, posted_at: datetime, actor_id: UUID | None) -> int:
    """Move what is wanted into one stripe, as far as all have it together; answer which."""
    values = (
        gathering.account_id,
        gathering.amount.minor,
        gathering.amount.currency,
        gathering.into,
        list(gathering.transfer_ids),
        gathering.request_hash,
        gathering.journal_id,
        gathering.effective_on,
        actor_id,
        posted_at,
    )
    with refusals_by_name(), connection.prepared_cursor() as cursor:
        cursor.execute(_GATHER, values)
        ((stripe,),) = written(cursor)
    return int(stripe)


def wait_for_postings() -> None:
    """Wait until every transaction that posts has ended; new ones wait for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_wait_for_postings()")


def set_open(*, chart_id: UUID, is_open: bool) -> None:
    """Open or close the balances of all accounts under a line of the chart for postings."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_set_open(%s::uuid, %s::boolean)", [chart_id, is_open])


def stop_postings(*, alarm_id: UUID, invariant: str, stopped_at: datetime) -> bool:
    """Stop the books; answer whether they were running."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ledger_stop_postings(%s::uuid, %s::text, %s::timestamptz)",
            [alarm_id, invariant, stopped_at],
        )
        (stopped,) = cursor.fetchone()
    return bool(stopped)


def start_postings() -> bool:
    """Start the books again; answer whether they were stopped."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_start_postings()")
        (started,) = cursor.fetchone()
    return bool(started)
