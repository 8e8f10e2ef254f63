"""What teams hear from access."""

from __future__ import annotations

from collections.abc import Sequence

from shared_apps.access.bundles import TEAM_LEAD
from shared_apps.access.events import MembershipRevoked
from shared_apps.audit.history import track
from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor

from . import services
from .models import Team


def drop_leads(events: Sequence[MembershipRevoked], *, actor: Actor) -> None:
    """A lead whose membership access ends leads no longer."""
    ended = [(event.unit_id, event.user_id) for event in events if event.role == TEAM_LEAD]
    if ended:
        services.forget_leads(units_and_people=ended, actor=actor)


def subscribe_all() -> None:
    """Called once, at start-up."""
    subscribe(MembershipRevoked, drop_leads)
    track(Team)
