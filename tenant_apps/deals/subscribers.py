"""What deals do at start-up: keep their field history, and tell limits which deals there are."""

from __future__ import annotations

from uuid import UUID

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from tenant_apps.deals.models import Deal
from tenant_apps.deals.selectors import deals_visible_to
from tenant_apps.limits import above


def deal_is_seen(actor: Actor, deal_id: UUID) -> bool:
    """An override of a credit limit may be asked for one deal."""
    return deals_visible_to(actor).filter(pk=deal_id).exists()


history.track(Deal)
above.register_deals(deal_is_seen)
