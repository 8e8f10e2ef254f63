"""Steps that seal, anchor and drop, run by the scheduler; and what the organization may set."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from shared_apps.outbox import services as outbox
from shared_apps.outbox.models import OutboxMessage
from tenants.context import on_platform, platform_context
from tenants.locks import hold_alone, try_alone

from . import keys, merkle, segments
from .audit_chain import AUDIT
from .chains import Chain
from .discovery import Row, look
from .events import HeadsAnchored, RowsDropped, SealSettingsChanged
from .models import Anchor, DroppedSegment, Progress, SealSetting, Segment
from .selectors import (
    chains_here,
    droppable_segments,
    head_of,
    holder_id,
    settings_of_organization,
)

logger = structlog.get_logger(__name__)

SEGMENT_ROWS = 1000
SEGMENTS_PER_LOOK = 20
# One organization's backlog does not keep a worker for itself: the rest has the next turn.
SECONDS_PER_TURN = 120.0
CHANGEABLE = frozenset({"mail_heads", "audit_retention_days"})


@step
def seal_chains(*, seconds: float = SECONDS_PER_TURN) -> int:
    """Seal what is committed and not sealed yet, in every chain of the present schema.

    Each look commits by itself; after about `seconds` a backlog is left to the next turn. Where
    somebody else is sealing a chain it is left to them. Answers how many rows were sealed.
    """
    deadline, sealed = time.monotonic() + seconds, 0
    for chain in chains_here():
        is_cut_short = True
        while is_cut_short:
            done = seal_once(chain=chain)
            sealed += done.rows
            is_cut_short = done.is_cut_short and time.monotonic() < deadline
    return sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What one look sealed, and whether there may be more."""

    rows: int
    is_cut_short: bool


@step
@transaction.atomic
def seal_once(*, chain: Chain, most: int = SEGMENT_ROWS * SEGMENTS_PER_LOOK) -> Sealed:
    """Look once for rows that are not sealed, and seal up to `most` of them.

    Segments, entries and how far the search has come commit together or not at all.
    """
    if not try_alone(f"seals.{chain.name}"):
        return Sealed(rows=0, is_cut_short=False)
    progress = Progress.objects.filter(chain=chain.name).first() or Progress(chain=chain.name)
    found = look(chain, progress, most=most)
    rows = sorted(found.rows, key=lambda row: (row[chain.moment_at], row[0]))
    head = head_of(chain.name)
    until = _later(found.complete_until, head.complete_until if head else None)
    for start in range(0, len(rows), SEGMENT_ROWS):
        head = _seal(chain, rows[start : start + SEGMENT_ROWS], head=head, until=until)
    progress.save()
    return Sealed(rows=len(rows), is_cut_short=found.is_cut_short)


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _seal(
    chain: Chain, rows: Sequence[Row], *, head: Segment | None, until: datetime | None
) -> Segment:
    digests = [merkle.leaf(chain.line(chain.newest, row)) for row in rows]
    segment = Segment(
        chain=chain.name,
        number=head.number + 1 if head else 1,
        form=chain.newest.number,
        first=head.first + head.rows if head else 1,
        rows=len(rows),
        root=merkle.root(digests),
        previous=bytes(head.digest) if head else segments.BEGINNING,
        complete_until=until,
        sealed_at=clock.now(),
        key_id=keys.present_key_id(),
    )
    segment.digest = segments.digest(segment, organization_id=holder_id())
    segment.signature = keys.sign(segment.digest)
    segment.save(force_insert=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO seals_entry (segment, row_id, digest, chain, position)"
            " SELECT %s, r.row_id, r.digest, %s, r.place - 1"
            " FROM unnest(%s::uuid[], %s::bytea[]) WITH ORDINALITY AS r(row_id, digest, place)",
            [segment.number, chain.code, [row[0] for row in rows], digests],
        )
    return segment


@step
@transaction.atomic
def anchor_heads() -> int:
    """Write today's heads of the present schema's chains down on the platform.

    Once a day (UTC) for each chain that has grown since; answers how many. Where the organization
    wants it, its admins are told by mail, by whoever consumes `HeadsAnchored`.
    """
    hold_alone("seals.anchors")
    heads = [head for chain in chains_here() if (head := head_of(chain.name))]
    organization, moment = holder_id(), clock.now()
    with platform_context(reason="anchor heads"):
        last = {
            anchor.chain: anchor
            for anchor in Anchor.objects.filter(organization_id=organization).order_by("number")
        }
        fresh = [
            Anchor(
                organization_id=organization,
                chain=head.chain,
                number=head.number,
                rows=head.first + head.rows - 1,
                digest=bytes(head.digest),
                anchored_at=moment,
            )
            for head in heads
            if _is_due(last.get(head.chain), head, at=moment)
        ]
        Anchor.objects.bulk_create(fresh)
    if fresh and on_platform():
        # Its anchors stand beside its own rows: the log is what leaves the database.
        logger.info("platform_heads_anchored", heads=[_head_text(anchor) for anchor in fresh])
    elif fresh and settings_of_organization().mail_heads:
        _tell(HeadsAnchored(subject_id=organization, heads=tuple(map(_head_text, fresh))))
    return len(fresh)


def _is_due(last: Anchor | None, head: Segment, *, at: datetime) -> bool:
    if last is None:
        return True
    return head.number > last.number and last.anchored_at.date() < at.date()


def _head_text(anchor: Anchor) -> str:
    return f"{anchor.chain} {anchor.number} {anchor.rows} {bytes(anchor.digest).hex()}"


def _tell(event: HeadsAnchored) -> None:
    # Not through the audit: an anchor is no act of anybody's, and an entry about it would make
    # the audit's chain grow every day of its own accord.
    moment = clock.now()
    outbox.append(
        [
            OutboxMessage(
                event_name=event.name,
                subject_id=event.subject_id,
                payload=event.payload(),
                created_at=moment,
                next_attempt_at=moment,
            )
        ]
    )


@step
def drop_old_entries(*, actor: Actor, segments_at_most: int = 100) -> int:
    """Drop audit entries that are older than the organization keeps them, whole segments only.

    Each segment is a transaction of its own. Answers how many rows went. The segments' digests
    stay, and a signed note says that it was retention that took the rows.
    """
    days = settings_of_organization().audit_retention_days
    if days is None:
        return 0
    before = clock.now() - timedelta(days=days)
    dropped = 0
    for number in droppable_segments(before=before, most=segments_at_most):
        dropped += _drop(number, before=before, actor=actor)
    return dropped


@transaction.atomic
def _drop(number: int, *, before: datetime, actor: Actor) -> int:
    hold_alone(f"seals.{AUDIT.name}")
    segment = Segment.objects.get(chain=AUDIT.name, number=number)
    if DroppedSegment.objects.filter(chain=AUDIT.name, number=number).exists():
        return 0
    DroppedSegment.objects.create(
        chain=AUDIT.name,
        number=number,
        key_id=keys.present_key_id(),
        signature=keys.sign_drop(bytes(segment.digest)),
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT seals_drop_audit_segment(%s, %s)", [number, before])
        rows = int(cursor.fetchone()[0])
    audit.record(RowsDropped(subject_id=segment.id, chain=AUDIT.name, number=number), actor=actor)
    return rows


@transaction.atomic
def change_settings(
    *, actor: Actor, changes: Mapping[str, Any], expected_version: int | None = None
) -> SealSetting:
    """Change whether heads are mailed, or for how many days audit entries are kept (None: always).

    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    actor.require("seals.change_sealsetting")
    hold_alone("seals.settings")
    setting = settings_of_organization()
    setting.check_version(expected_version)
    changed = tuple(sorted(name for name in changes if getattr(setting, name) != changes[name]))
    if not changed:
        return setting
    for name in changed:
        setattr(setting, name, changes[name])
    setting.raise_version()
    setting.updated_by_id = actor.user_id
    setting.save()
    audit.record(SealSettingsChanged(subject_id=setting.id, fields=changed), actor=actor)
    return setting
