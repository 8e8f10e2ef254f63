"""The log of what people did about a deal."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.deals import errors, events
from tenant_apps.deals.models import Activity
from tenant_apps.deals.selectors import deals_visible_to


@transaction.atomic
def note_activity(
    *, actor: Actor, deal_id: UUID, kind: str, text: str, happened_at: datetime | None = None
) -> Activity:
    """Note what was done about a deal; entries are never changed. Closed deals take notes too.

    :raises NotFound: no such deal that the actor sees.
    :raises Forbidden: the actor may not change the deal.
    :raises ActivityInFuture: it has not happened yet.
    """
    deal = deals_visible_to(actor).locked(deal_id)
    actor.require("deals.change_deal", deal)
    moment = clock.now()
    if happened_at is not None and happened_at > moment:
        raise errors.ActivityInFuture
    activity = Activity(
        deal=deal,
        kind=kind,
        text=text,
        happened_at=happened_at or moment,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    activity.save(force_insert=True)
    audit.record(
        events.ActivityNoted(subject_id=activity.id, deal_id=deal.id, kind=kind), actor=actor
    )
    return activity
