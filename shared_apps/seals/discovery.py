"""Finds rows that are committed and not sealed yet, without an index of its own.

Ids are made before the commit and times before that, so neither tells what is new. Where a row
lies in its table does, nearly: an append-only table grows at its end. Each look reads the table's
tail and one stretch of the rest, so that the whole table has been gone through every so often;
docs/decisions/rows-are-sealed-where-they-lie.md says why, and why nothing is ever left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from shared_apps.kernel import clock

from .chains import Chain
from .models import Progress

# Writers that extend a table together fill several blocks before its end at the same time.
OVERLAP_BLOCKS = 256
STRETCH_BLOCKS = 1024
# No transaction of ours runs longer: a task is ended after 15 minutes, a request sooner.
LONGEST_TRANSACTION = timedelta(hours=1)

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Extent:
    """A table's file, its length in blocks, and the transactions that ran at that moment."""

    file: int
    blocks: int
    oldest: int
    next: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look found: rows as their newest form's texts, and whether there may be more."""

    rows: list[Row]
    is_cut_short: bool
    # Everything from before this moment was sealed before this look.
    complete_until: datetime | None


def look(chain: Chain, progress: Progress, *, most: int) -> Look:
    """Find up to `most` rows that are not sealed, and move `progress` on for the next look.

    The caller seals them all in the same transaction, in which `progress` is saved as well, and
    holds the chain's lock.
    """
    moment = clock.now()
    extent = _extent(chain)
    _forget_if_rewritten(progress, extent, at=moment)
    known_until = _believable(progress.complete_until, at=moment)
    if progress.stretch == 0:
        progress.sweep_began_at = moment
    found = _unsealed(chain, first=progress.tail, end=None, most=most)
    if len(found) < most and progress.tail:
        end = min(progress.stretch + STRETCH_BLOCKS, progress.tail)
        found += _unsealed(chain, first=progress.stretch, end=end, most=most - len(found))
        if len(found) < most:
            progress.stretch = end
    if len(found) < most:
        _move_on(progress, extent)
    return Look(rows=found, is_cut_short=len(found) == most, complete_until=known_until)


def _believable(until: datetime | None, *, at: datetime) -> datetime | None:
    """What the progress says, which anybody could have written there, and nothing of the future:
    what stands in a segment is signed and stays."""
    return min(until, at - LONGEST_TRANSACTION) if until else None


def _forget_if_rewritten(progress: Progress, extent: _Extent, *, at: datetime) -> None:
    """A table that was rewritten or restored has its rows in other places: begin anew."""
    if (
        progress.file != extent.file
        or extent.blocks < progress.tail
        or extent.next < progress.mark_xid
    ):
        progress.file = extent.file
        progress.tail = progress.stretch = 0
        progress.mark, progress.mark_xid = extent.blocks, extent.next
        progress.sweep_began_at = at


def _move_on(progress: Progress, extent: _Extent) -> None:
    if progress.stretch >= progress.tail:
        # The sweep has met the tail: whatever was committed when it began has been seen.
        progress.complete_until = progress.sweep_began_at - LONGEST_TRANSACTION
        progress.stretch = 0
    if extent.oldest >= progress.mark_xid:
        # Every transaction that ran when the mark was set has ended, and this look has read
        # from the tail what they wrote.
        progress.tail = max(progress.tail, progress.mark - OVERLAP_BLOCKS)
        progress.mark, progress.mark_xid = extent.blocks, extent.next


def _extent(chain: Chain) -> _Extent:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_filenode(%(table)s::regclass),"
            " pg_relation_size(%(table)s::regclass) / current_setting('block_size')::bigint,"
            " pg_snapshot_xmin(pg_current_snapshot())::text::bigint,"
            " pg_snapshot_xmax(pg_current_snapshot())::text::bigint",
            {"table": chain.table},
        )
        file, blocks, oldest, following = cursor.fetchone()
    return _Extent(file=file, blocks=blocks, oldest=oldest, next=following)


def _unsealed(chain: Chain, *, first: int, end: int | None, most: int) -> list[Row]:
    """Unsealed rows in blocks from `first` to before `end`, in the order in which they lie."""
    if end is not None and end <= first:
        return []
    below = "" if end is None else f"AND t.ctid < '({end:d},0)'::tid"
    # The texts are the chain's and ours: nothing of a caller's is in them but numbers.
    statement = f"""
        SELECT {chain.texts} FROM {chain.table} t
         WHERE t.ctid >= '({first:d},0)'::tid {below}
           AND NOT EXISTS (SELECT FROM seals_entry e
                            WHERE e.row_id = t.id AND e.chain = {chain.code:d})
         LIMIT {most:d}
    """  # noqa: S608
    with connection.cursor() as cursor:
        # Row by row in the table's order, asking the index of the entries: a hash would read all
        # entries there are, and answer in an order of its own.
        cursor.execute(
            "SELECT set_config('enable_hashjoin', 'off', true),"
            " set_config('enable_mergejoin', 'off', true),"
            " set_config('enable_seqscan', 'off', true),"
            " set_config('max_parallel_workers_per_gather', '0', true)"
        )
        cursor.execute(statement)
        rows: list[Row] = cursor.fetchall()
    return rows
