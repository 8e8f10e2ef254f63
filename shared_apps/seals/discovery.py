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
    """A table's file, its length in blocks, and who had written into it by then and not ended."""

    file: int
    blocks: int
    writers: list[str]


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
    resumed = max(progress.tail, progress.resume)
    found, block = _unsealed(chain, first=resumed, end=None, most=most)
    # A backlog is gone through once. What committed late behind is found by the look after it,
    # which reads the whole tail again.
    progress.resume = block if len(found) == most else 0
    if len(found) < most and progress.tail:
        end = min(progress.stretch + STRETCH_BLOCKS, progress.tail)
        more, _ = _unsealed(chain, first=progress.stretch, end=end, most=most - len(found))
        found += more
        if len(found) < most:
            progress.stretch = end
    if len(found) < most and resumed == progress.tail:
        _move_on(progress, extent)
    return Look(rows=found, is_cut_short=len(found) == most, complete_until=known_until)


def _believable(until: datetime | None, *, at: datetime) -> datetime | None:
    """What the progress says, which anybody could have written there, and nothing of the future:
    what stands in a segment is signed and stays."""
    return min(until, at - LONGEST_TRANSACTION) if until else None


def _forget_if_rewritten(progress: Progress, extent: _Extent, *, at: datetime) -> None:
    """A table that was rewritten or restored has its rows in other places: begin anew."""
    if progress.file != extent.file or extent.blocks < progress.tail:
        progress.file = extent.file
        progress.tail = progress.stretch = progress.resume = 0
        progress.mark, progress.mark_writers = extent.blocks, extent.writers
        progress.sweep_began_at = at


def _move_on(progress: Progress, extent: _Extent) -> None:
    if progress.stretch >= progress.tail:
        # The sweep has met the tail: whatever was committed when it began has been seen.
        progress.complete_until = progress.sweep_began_at - LONGEST_TRANSACTION
        progress.stretch = 0
    if not set(progress.mark_writers) & set(extent.writers):
        # Every transaction that was writing when the mark was set has ended, and this look has
        # read from the tail what they wrote.
        progress.tail = max(progress.tail, progress.mark - OVERLAP_BLOCKS)
        progress.mark, progress.mark_writers = extent.blocks, extent.writers


def _extent(chain: Chain) -> _Extent:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_relation_filenode(%(table)s::regclass),"
            " pg_relation_size(%(table)s::regclass) / current_setting('block_size')::bigint",
            {"table": chain.table},
        )
        file, blocks = cursor.fetchone()
        # Asked after the length: whoever lengthens the table from now on is not in it. A writer
        # keeps this lock until its transaction has ended and everybody sees what it wrote.
        cursor.execute(
            "SELECT DISTINCT virtualtransaction FROM pg_locks"
            " WHERE locktype = 'relation' AND relation = %s::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND mode NOT IN ('AccessShareLock', 'RowShareLock')",
            [chain.table],
        )
        writers = [row[0] for row in cursor.fetchall()]
    return _Extent(file=file, blocks=blocks, writers=writers)


def _unsealed(chain: Chain, *, first: int, end: int | None, most: int) -> tuple[list[Row], int]:
    """Unsealed rows in blocks from `first` to before `end`, in the order in which they lie, and the
    block of the last of them."""
    if end is not None and end <= first:
        return [], first
    below = "" if end is None else f"AND t.ctid < '({end:d},0)'::tid"
    # The texts are the chain's and ours: nothing of a caller's is in them but numbers.
    statement = f"""
        SELECT {chain.texts}, (t.ctid::text::point)[0]::bigint FROM {chain.table} t
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
        rows = cursor.fetchall()
    return [row[:-1] for row in rows], rows[-1][-1] if rows else first
