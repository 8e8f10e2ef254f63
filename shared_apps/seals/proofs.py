"""A proof of one row for somebody outside: what docs/verify_seal.py reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotFound
from tenants.context import organization_id

from . import merkle, segments
from .chains import Chain, registered
from .errors import NotSealedYet, SealBroken
from .models import Anchor, Entry, Segment
from .selectors import VIEW_PERMISSION, anchors_of_organization

FORMAT = "kontor.1"
# A proof reaches the next anchored head if that is not farther: a busy day has fewer segments.
MOST_LINKS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedText:
    """A segment's canonical text and the signature over its digest, in hex."""

    text: str
    signature: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredHead:
    """A head that the platform wrote down, and that was mailed where the organization wants it."""

    number: int
    digest: str
    anchored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The row's text, the path to its segment's root, and the segments up to an anchored head."""

    proof: str
    row: str
    position: int
    path: list[str]
    segments: list[SignedText]
    anchor: AnchoredHead | None


def proof_of(*, actor: Actor, row_id: UUID) -> Proof:
    """Prove that a row stood in the books as it does when it was sealed.

    :raises Forbidden: the actor may not read seals, or not rows of this kind.
    :raises NotFound: no chain has such a row.
    :raises NotSealedYet: it waits for the next sealing.
    :raises SealBroken: the row is not what was sealed.
    """
    actor.require(VIEW_PERMISSION)
    for chain in registered():
        row = _row(chain, row_id)
        if row is not None:
            actor.require(chain.permission)
            return _proof(chain, row_id, row)
    raise NotFound("There is no such row in the chains.")


def _row(chain: Chain, row_id: UUID) -> Sequence[str | None] | None:
    # The texts are the chain's and ours.
    statement = f"SELECT {chain.texts} FROM {chain.table} t WHERE t.id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [row_id])
        row: Sequence[str | None] | None = cursor.fetchone()
    return row


def _proof(chain: Chain, row_id: UUID, row: Sequence[str | None]) -> Proof:
    entry = Entry.objects.filter(chain=chain.code, row_id=row_id).first()
    if entry is None:
        raise NotSealedYet
    segment = Segment.objects.filter(chain=chain.name, number=entry.segment).first()
    form = chain.form(segment.form) if segment else None
    if segment is None or form is None:
        raise SealBroken
    beside = Entry.objects.filter(chain=chain.code, segment=segment.number).order_by("position")
    digests = [bytes(digest) for digest in beside.values_list("digest", flat=True)]
    text = chain.line(form, row)
    if (
        entry.position >= len(digests)
        or merkle.leaf(text) != digests[entry.position]
        or merkle.root(digests) != bytes(segment.root)
    ):
        raise SealBroken
    anchor = _next_anchor(chain, segment.number)
    last = anchor.number if anchor else segment.number
    links = Segment.objects.filter(chain=chain.name, number__range=(segment.number, last)).order_by(
        "number"
    )
    return Proof(
        proof=FORMAT,
        row=text,
        position=entry.position,
        path=[digest.hex() for digest in merkle.path(digests, entry.position)],
        segments=[_signed(link) for link in links],
        anchor=anchor,
    )


def _next_anchor(chain: Chain, number: int) -> AnchoredHead | None:
    anchors: list[Any] = anchors_of_organization(chain=chain.name)
    found: Anchor | None = next((one for one in anchors if one.number >= number), None)
    if found is None or found.number - number >= MOST_LINKS:
        return None
    return AnchoredHead(
        number=found.number, digest=bytes(found.digest).hex(), anchored_at=found.anchored_at
    )


def _signed(segment: Segment) -> SignedText:
    text = segments.line(segment, organization_id=organization_id())
    return SignedText(text=text, signature=bytes(segment.signature).hex())
