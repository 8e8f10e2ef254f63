"""The text of a segment, which is what its digest and signature are about."""

from __future__ import annotations

import json
from uuid import UUID

from .chains import moment_text
from .merkle import segment_digest
from .models import DIGEST_BYTES, Segment

FORMAT = "kontor.1"
BEGINNING = bytes(DIGEST_BYTES)


def line(segment: Segment, *, organization_id: UUID) -> str:
    """The segment's canonical text: everything that its digest covers."""
    until = segment.complete_until
    return json.dumps(
        {
            "segment": FORMAT,
            "organization": str(organization_id),
            "chain": segment.chain,
            "form": segment.form,
            "number": segment.number,
            "first": segment.first,
            "rows": segment.rows,
            "root": bytes(segment.root).hex(),
            "previous": bytes(segment.previous).hex(),
            "complete_until": moment_text(until) if until else None,
            "sealed_at": moment_text(segment.sealed_at),
            "key": segment.key_id,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def digest(segment: Segment, *, organization_id: UUID) -> bytes:
    """What the next segment, an anchor and the signature hold."""
    return segment_digest(line(segment, organization_id=organization_id))
