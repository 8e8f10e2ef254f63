"""Reads sealed rows again and says which of them are not what was sealed.

What it believes in is the public key in the settings and the anchors on the platform; everything
in the organization's schema, the seals included, is what it doubts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from . import keys, merkle, segments
from .chains import Chain, Form, moment_text
from .errors import UnknownSealKey
from .models import Anchor, DroppedSegment, Entry, Progress, Segment
from .selectors import anchors_of_organization, holder_id

SEGMENTS_PER_STATEMENT = 20
SEGMENTS_PER_PAGE = 500
# Whatever was done to a whole table is told by its first rows.
MOST_FINDINGS = 200
# Of what is missing in one place.
MOST_MISSING = 50


class Wrong(StrEnum):
    """What can be wrong."""

    EDITED = "edited"
    DELETED = "deleted"
    INSERTED = "inserted"
    REORDERED = "reordered"
    CUT_OUT = "cut_out"
    CUT_OFF = "cut_off"
    SEGMENT_MISSING = "segment_missing"
    SEGMENT_CHANGED = "segment_changed"
    SIGNATURE_WRONG = "signature_wrong"
    KEY_UNKNOWN = "key_unknown"
    ANCHOR_DIFFERS = "anchor_differs"
    DROPPED_WRONGLY = "dropped_wrongly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One row or segment that is not what was sealed."""

    wrong: Wrong
    detail: str
    segment: int | None = None
    row_id: UUID | None = None


@dataclass(slots=True, kw_only=True)
class Verified:
    """What was read of one chain, what is wrong with it, and where to go on.

    `last` is the number of the last segment that was read, `next_after` the same where there are
    more.
    """

    chain: str
    last: int = 0
    segments: int = 0
    rows: int = 0
    dropped_rows: int = 0
    waiting: int = 0
    findings: list[Finding] = field(default_factory=list)
    next_after: int | None = None

    @property
    def holds(self) -> bool:
        return not self.findings


def verify_chain(
    chain: Chain,
    *,
    after: int = 0,
    segments_at_most: int | None = None,
    everywhere: bool = True,
) -> Verified:
    """Read the chain's segments behind number `after`, and their rows.

    Parts that follow each other prove as much as the whole: each begins with the digest that the
    one before ended with, which the signature and the anchors hold. The last part also looks for
    rows that stand in no segment and for a tail that was cut off. With `everywhere` it reads the
    whole table for them, without it only where new rows lie: rows in other places are sealed by
    the next sweep, and then found as well.
    """
    reader = _Reader(chain, after=after)
    reader.read_all(most=segments_at_most)
    if segments_at_most is None:
        reader.read_all(most=None)  # what was sealed meanwhile
    if reader.is_at_the_end():
        reader.read_ends(everywhere=everywhere)
    else:
        reader.result.next_after = reader.number
    reader.result.last = reader.number
    return reader.result


class _Reader:
    """Reads segment by segment, and their rows some segments at a time."""

    def __init__(self, chain: Chain, *, after: int) -> None:
        self.chain = chain
        self.result = Verified(chain=chain.name)
        self.organization = holder_id()
        self.anchors = {
            anchor.number: anchor
            for anchor in anchors_of_organization(chain=chain.name)
            if anchor.number > after
        }
        self.dropped = {
            drop.number: drop
            for drop in DroppedSegment.objects.filter(chain=chain.name, number__gt=after)
        }
        self.waiting: list[Segment] = []
        self.previous = self._segments().filter(number=after).first()
        self.number = after
        # Everything from before this moment stands in segments that were read before. It never
        # falls along a chain, so the last of them says it.
        self.complete_until = self.previous.complete_until if self.previous else None

    def _segments(self) -> QuerySet[Segment]:
        return Segment.objects.filter(chain=self.chain.name)

    def read_all(self, *, most: int | None) -> None:
        """Read up to so many of the segments that follow, with their rows."""
        left = most
        while left is None or left > 0:
            page = SEGMENTS_PER_PAGE if left is None else min(left, SEGMENTS_PER_PAGE)
            follow = self._segments().filter(number__gt=self.number).order_by("number")
            found = list(follow[:page])
            for segment in found:
                self.read(segment)
            if len(found) < page:
                break
            left = None if left is None else left - page
        self.finish_rows()

    def is_at_the_end(self) -> bool:
        """Whether no segment follows."""
        return not self._segments().filter(number__gt=self.number).exists()

    def _tell(self, wrong: Wrong, detail: str, **where: Any) -> None:
        if len(self.result.findings) < MOST_FINDINGS:
            self.result.findings.append(Finding(wrong=wrong, detail=detail, **where))

    def read(self, segment: Segment) -> None:
        """Check what a segment says of itself and of the one before; its rows come later."""
        self.result.segments += 1
        for number in islice(range(self.number + 1, segment.number), MOST_MISSING):
            self._tell(Wrong.SEGMENT_MISSING, "The segment is not there.", segment=number)
            self.previous = None
        self._read_link(segment)
        self._read_signature(segment)
        anchor = self.anchors.pop(segment.number, None)
        if anchor is not None:
            self._read_anchor(segment, anchor)
        drop = self.dropped.get(segment.number)
        if drop is not None and self._is_dropped(segment, drop):
            self.result.dropped_rows += segment.rows
            self._read_strays(segment=segment.number)
        else:
            self.waiting.append(segment)
        if len(self.waiting) >= SEGMENTS_PER_STATEMENT:
            self.finish_rows()
        self.previous, self.number = segment, segment.number

    def _read_link(self, segment: Segment) -> None:
        before = self.previous
        if segment.number == 1:
            previous, first = segments.BEGINNING, 1
        elif before is not None:
            previous, first = bytes(before.digest), before.first + before.rows
        else:
            return
        if bytes(segment.previous) != previous or segment.first != first:
            self._tell(
                Wrong.SEGMENT_CHANGED,
                "The segment does not continue the one before it.",
                segment=segment.number,
            )

    def _read_signature(self, segment: Segment) -> None:
        digest = segments.digest(segment, organization_id=self.organization)
        if digest != bytes(segment.digest):
            self._tell(
                Wrong.SEGMENT_CHANGED,
                "The segment's digest is not that of its content.",
                segment=segment.number,
            )
        try:
            signed = keys.is_signed(
                digest, key_id=segment.key_id, signature=bytes(segment.signature)
            )
        except UnknownSealKey as problem:
            self._tell(Wrong.KEY_UNKNOWN, str(problem), segment=segment.number)
            return
        if not signed:
            self._tell(
                Wrong.SIGNATURE_WRONG,
                f"The key {segment.key_id} has not signed the segment.",
                segment=segment.number,
            )

    def _read_anchor(self, segment: Segment, anchor: Anchor) -> None:
        rows = segment.first + segment.rows - 1
        if bytes(anchor.digest) != bytes(segment.digest) or anchor.rows != rows:
            self._tell(
                Wrong.ANCHOR_DIFFERS,
                f"The head anchored at {moment_text(anchor.anchored_at)} was another: the chain"
                " was replaced.",
                segment=segment.number,
            )

    def _is_dropped(self, segment: Segment, drop: DroppedSegment) -> bool:
        if not self.chain.may_be_dropped:
            self._tell(
                Wrong.DROPPED_WRONGLY,
                "A note says that the rows were dropped; rows of this chain never are.",
                segment=segment.number,
            )
            return False
        try:
            signed = keys.is_drop_signed(
                bytes(segment.digest), key_id=drop.key_id, signature=bytes(drop.signature)
            )
        except UnknownSealKey as problem:
            self._tell(Wrong.KEY_UNKNOWN, str(problem), segment=segment.number)
            return True
        if not signed:
            self._tell(
                Wrong.DROPPED_WRONGLY,
                "A note says that retention dropped the rows; the key has not signed it.",
                segment=segment.number,
            )
        return signed

    def _read_strays(self, *conditions: Any, **where: Any) -> None:
        """Tell of entries where there can be none."""
        strays = Entry.objects.filter(*conditions, chain=self.chain.code, **where)
        for number, row_id in strays.values_list("segment", "row_id")[:MOST_FINDINGS]:
            self._tell(
                Wrong.INSERTED,
                "The row's entry belongs to no segment that holds rows.",
                segment=number,
                row_id=row_id,
            )

    def finish_rows(self) -> None:
        """Read the rows of the segments that wait."""
        if not self.waiting:
            return
        by_number: dict[int, list[tuple[Any, ...]]] = {one.number: [] for one in self.waiting}
        for row in _entries(self.chain, list(by_number)):
            by_number[row[0]].append(row[1:])
        for segment in self.waiting:
            self._raise_until(segment)
            if by_number[segment.number] or not self._was_dropped_meanwhile(segment):
                self._read_rows(segment, by_number[segment.number])
        self.waiting = []

    def _raise_until(self, segment: Segment) -> None:
        """It never falls, whatever a later segment says."""
        if segment.complete_until is not None:
            known = self.complete_until or segment.complete_until
            self.complete_until = max(known, segment.complete_until)

    def _was_dropped_meanwhile(self, segment: Segment) -> bool:
        drop = DroppedSegment.objects.filter(chain=self.chain.name, number=segment.number).first()
        return drop is not None and self._is_dropped(segment, drop)

    def _read_rows(self, segment: Segment, entries: Sequence[tuple[Any, ...]]) -> None:
        number = segment.number
        form = self.chain.form(segment.form)
        if form is None:
            self._tell(
                Wrong.SEGMENT_CHANGED, f"There is no form {segment.form} of rows.", segment=number
            )
            return
        seen = {entry[0] for entry in entries}
        missing = (place for place in range(segment.rows) if place not in seen)
        for place in islice(missing, MOST_MISSING):
            self._tell(Wrong.CUT_OUT, f"The entry of row {place} is not there.", segment=number)
        digests, former = [], ("", "")
        for place, row_id, sealed, *values in entries:
            digests.append(bytes(sealed))
            where = {"segment": number, "row_id": row_id}
            if not 0 <= place < segment.rows:
                self._tell(Wrong.INSERTED, "The segment had no such row.", **where)
            if values[0] is None:
                self._tell(Wrong.DELETED, "The sealed row is not there.", **where)
                continue
            self.result.rows += 1
            self._read_row(form, values, bytes(sealed), where)
            former = self._read_order(values, former, where)
        if digests and merkle.root(digests) != bytes(segment.root):
            self._tell(
                Wrong.SEGMENT_CHANGED,
                "The entries of the segment's rows are not those that were sealed.",
                segment=number,
            )

    def _read_row(
        self, form: Form, values: Sequence[str | None], sealed: bytes, where: dict[str, Any]
    ) -> None:
        if merkle.leaf(self.chain.line(form, values)) != sealed:
            self._tell(Wrong.EDITED, "The row's content is not what was sealed.", **where)
        added = self.chain.added_since(form)
        if added:
            row = dict(zip(self.chain.newest.names, values, strict=True))
            for name, text in added.items():
                if row[name] != text:
                    self._tell(
                        Wrong.EDITED, f"{name} was written after the row was sealed.", **where
                    )

    def _read_order(
        self, values: Sequence[str | None], former: tuple[str, str], where: dict[str, Any]
    ) -> tuple[str, str]:
        place = (values[self.chain.moment_at] or "", values[0] or "")
        if place < former:
            self._tell(Wrong.REORDERED, "The row does not stand where it belongs.", **where)
        self._read_moment(place[0], **where)
        return place

    def _read_moment(self, moment: str, **where: Any) -> None:
        until = moment_text(self.complete_until) if self.complete_until else ""
        if moment < until:
            self._tell(
                Wrong.INSERTED,
                f"The row says it is from {moment}, but was not there when all rows from before"
                f" {until} had been sealed.",
                **where,
            )

    def read_ends(self, *, everywhere: bool) -> None:
        """Look for what no segment holds, and for segments that the anchors know of."""
        for anchor in self.anchors.values():
            self._tell(
                Wrong.CUT_OFF,
                f"Segment {anchor.number} with {anchor.rows} rows was anchored at"
                f" {moment_text(anchor.anchored_at)}; the chain ends with {self.number}.",
                segment=anchor.number,
            )
        # Whoever gives a row an entry of no segment hides it from the sealer; not from us.
        held = self._segments().filter(number=OuterRef("segment"))
        self._read_strays(~Exists(held), segment__gt=self.number)
        self._read_strays(segment__lt=1)
        for row_id, moment in _rows_without_entry(self.chain, everywhere=everywhere):
            self.result.waiting += 1
            self._read_moment(moment, row_id=row_id)


def _entries(chain: Chain, numbers: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """Segment, place, row id and sealed digest of each entry, and its row's texts."""
    statement = f"""
        SELECT e.segment, e.position, e.row_id, e.digest, {chain.texts}
          FROM seals_entry e LEFT JOIN {chain.table} t ON t.id = e.row_id
         WHERE e.chain = {chain.code:d} AND e.segment = ANY (%s)
         ORDER BY e.segment, e.position
    """  # noqa: S608  (the texts are the chain's and ours)
    with connection.cursor() as cursor:
        cursor.execute(statement, [list(numbers)])
        yield from cursor.fetchall()


def _rows_without_entry(chain: Chain, *, everywhere: bool) -> Iterator[tuple[UUID, str]]:
    """Every row that is not sealed, with its moment."""
    progress = None if everywhere else Progress.objects.filter(chain=chain.name).first()
    first = progress.tail if progress else 0
    statement = f"""
        SELECT t.id, to_char(t.{chain.moment} AT TIME ZONE 'UTC',
                             'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
          FROM {chain.table} t
         WHERE t.ctid >= '({first:d},0)'::tid
           AND NOT EXISTS (SELECT FROM seals_entry e
                            WHERE e.row_id = t.id AND e.chain = {chain.code:d})
    """  # noqa: S608  (the texts are the chain's and ours)
    with connection.cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(2000):
            yield from rows
