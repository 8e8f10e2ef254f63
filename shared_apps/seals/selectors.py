from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from shared_apps.kernel.actor import Actor
from tenants.context import on_platform, organization_id, platform_context

from .audit_chain import AUDIT
from .chains import Chain, registered
from .models import Anchor, SealSetting, Segment

# Whose chain the platform's own is: no organization has this id.
PLATFORM = UUID(int=0)
VIEW_PERMISSION = "seals.view_segment"


def holder_id() -> UUID:
    """Whose chains are those of the present schema: an organization's, or the platform's.

    :raises NoTenant: neither was chosen.
    """
    return PLATFORM if on_platform() else organization_id()


def chains_here() -> tuple[Chain, ...]:
    """The chains that the present schema has."""
    return tuple(chain for chain in registered() if chain.on_platform or not on_platform())


def head_of(chain: str) -> Segment | None:
    """The chain's last segment."""
    return Segment.objects.filter(chain=chain).order_by("-number").first()


def segments_visible_to(actor: Actor) -> QuerySet[Segment]:
    """All segments for who may read them, newest first; none for anybody else."""
    found = Segment.objects.order_by("-sealed_at", "-id")
    return found if actor.allows(VIEW_PERMISSION) else found.none()


def settings_of_organization() -> SealSetting:
    """What the organization has set; the defaults where it has set nothing yet."""
    return SealSetting.objects.first() or SealSetting()


def anchors_of_organization(*, chain: str) -> list[Anchor]:
    """The heads of the chain that the platform has written down, the oldest first."""
    organization = holder_id()
    with platform_context(reason="read the anchors of an organization"):
        return list(
            Anchor.objects.filter(organization_id=organization, chain=chain).order_by("number")
        )


def droppable_segments(*, before: datetime, most: int) -> list[int]:
    """Numbers of the audit's oldest segments whose rows are all from before the moment.

    Only from the beginning of the chain, without a gap.
    """
    with connection.cursor() as cursor:
        # A segment's rows stand in the order of their moments: its last is its youngest.
        cursor.execute(
            "SELECT s.number, a.recorded_at FROM seals_segment s"
            " JOIN seals_entry e ON e.segment = s.number AND e.chain = %(code)s"
            " AND e.position = s.rows - 1"
            " JOIN audit_entry a ON a.id = e.row_id"
            " WHERE s.chain = %(chain)s AND s.number > coalesce("
            " (SELECT max(d.number) FROM seals_droppedsegment d WHERE d.chain = %(chain)s), 0)"
            " ORDER BY s.number LIMIT %(most)s",
            {"code": AUDIT.code, "chain": AUDIT.name, "most": most},
        )
        old = takewhile(lambda row: row[1] < before, cursor.fetchall())
        return [number for number, _ in old]
