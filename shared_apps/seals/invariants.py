"""Seals as the watch reads them: what was sealed since its last look, and a part of the rest.

The parts come round to the whole chain. A run, each minute, reads as many old rows as bring it
round within a day, between `FEWEST_ROWS` and `MOST_ROWS`: from 144,000 to 2.9 million rows it takes
a day, less for fewer and more for more. So nobody's history costs more than some thousandths of a
processor.
"""

from __future__ import annotations

from functools import partial

from shared_apps.kernel.invariants import Finding, Invariant, Reading, Watermark

from . import verification
from .chains import Chain
from .models import Segment
from .selectors import anchors_of_organization, head_of
from .verification import Verified, Wrong, verify_chain

RUNS_PER_ROUND = 24 * 60
FEWEST_ROWS, MOST_ROWS = 100, 2_000
# What was sealed since the last look; a backlog is read over several.
NEW_ROWS = 20_000
# Where little is written a segment has few rows, and each costs a signature.
SEGMENTS_AT_MOST = 200


def chain_invariant(chain: Chain, *, title: str, concerns: str) -> Invariant:
    """That every sealed row of the chain is what was sealed, for its owner to register."""
    return Invariant(
        name=f"seals.{chain.name}",
        title=title,
        concerns=concerns,
        check=partial(_check, chain),
        rotates=True,
    )


def _check(chain: Chain, *, since: Watermark | None) -> Reading:
    """The watermark is the last segment that was read, its digest, and how far the round is."""
    if since is None:
        whole = verify_chain(chain)
        return _reading(chain, [whole], [], last=whole.last, turn=0)
    last, turn = int(since.get("last", 0)), int(since.get("turn", 0))
    findings = _known_head(chain, last, str(since.get("digest", "")))
    parts: list[Verified] = []
    head = head_of(chain.name)
    if head is None and not anchors_of_organization(chain=chain.name):
        # Nothing was sealed yet. Reading all rows for those that wait would find no fault.
        return _reading(chain, parts, findings, last=0, turn=0)
    if head is not None and last > 0:
        # A round that has come to the end begins again.
        turn = turn if turn < last else 0
        rows = min(max((head.first + head.rows) // RUNS_PER_ROUND, FEWEST_ROWS), MOST_ROWS)
        parts.append(_part(chain, after=turn, rows=rows))
        turn = parts[-1].last
    if head is None or head.number > last:
        parts.append(_part(chain, after=last, rows=NEW_ROWS))
        last = parts[-1].last
    return _reading(chain, parts, findings, last=last, turn=turn)


def _part(chain: Chain, *, after: int, rows: int) -> Verified:
    """The segments that follow, as many as have so many rows, and one at least."""
    follow = Segment.objects.filter(chain=chain.name, number__gt=after).order_by("number")
    count, room = 0, rows
    for size in follow.values_list("rows", flat=True)[:SEGMENTS_AT_MOST]:
        if count and size > room:
            break
        count, room = count + 1, room - size
    return verify_chain(chain, after=after, segments_at_most=count, everywhere=False)


def _known_head(chain: Chain, number: int, digest: str) -> list[Finding]:
    """A chain only grows: whatever was its end once is still there, and the same."""
    if number == 0:
        return []
    known = Segment.objects.filter(chain=chain.name, number=number).first()
    if known is None:
        wrong, detail = Wrong.CUT_OFF, "The chain reached this segment before; it is not there."
    elif bytes(known.digest).hex() != digest:
        wrong, detail = Wrong.SEGMENT_CHANGED, "The segment was another when it was read before."
    else:
        return []
    return [Finding(rule=wrong, subject=f"{chain.name} segment {number}", detail=detail)]


def _reading(
    chain: Chain, parts: list[Verified], findings: list[Finding], *, last: int, turn: int
) -> Reading:
    found = dict.fromkeys(findings)
    for part in parts:
        found.update(dict.fromkeys(_finding(chain, one) for one in part.findings))
    end = Segment.objects.filter(chain=chain.name, number=last).first()
    digest = bytes(end.digest).hex() if end else ""
    return Reading(
        findings=list(found),
        watermark={"last": last, "digest": digest, "turn": turn},
        rows=sum(part.rows for part in parts),
    )


def _finding(chain: Chain, found: verification.Finding) -> Finding:
    place = "outside of any segment" if found.segment is None else f"segment {found.segment}"
    row = f", row {found.row_id}" if found.row_id else ""
    return Finding(rule=found.wrong, subject=f"{chain.name} {place}{row}", detail=found.detail)
