"""What a socket asks of the database. Each function is one call inside the tenant's context.

A socket lives for hours on an event loop and its database calls run on any thread of a pool, so
nothing about the tenant may be remembered by a thread: every function here enters the context,
reads, and leaves the thread as it was, which is in no tenant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from shared_apps.access.actors import actor_for_user
from shared_apps.accounts.models import Session
from shared_apps.kernel import clock
from tenant_apps.notifications.errors import TicketRefused
from tenant_apps.notifications.tickets import redeem_ticket
from tenant_apps.payments.selectors import payments_visible_to
from tenants.context import no_tenant_context, tenant_context
from tenants.models import Organization
from tenants.routing import organization_for_host


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Whose socket it is."""

    organization: Organization
    user_id: UUID
    session_id: UUID
    sees_payments: bool


def take_seat(*, host: str, secret: str) -> Seat:
    """Open a socket at a host with a ticket.

    :raises TicketRefused: no organization is served there, the ticket is not good for it, or its
        session has ended meanwhile.
    :raises TicketsUnavailable: Redis does not answer.
    """
    with no_tenant_context():
        organization = organization_for_host(host)
    if organization is None or not organization.is_served:
        raise TicketRefused
    ticket = redeem_ticket(secret=secret, organization_id=organization.id)
    with tenant_context(organization):
        if not _is_live(session_id=ticket.session_id, user_id=ticket.user_id):
            raise TicketRefused
        actor = actor_for_user(user_id=ticket.user_id)
        return Seat(
            organization=organization,
            user_id=ticket.user_id,
            session_id=ticket.session_id,
            sees_payments=actor.allows("payments.view_payment"),
        )


def may_stay(*, seat: Seat, host: str) -> bool:
    """Whether the session is still live and the organization still served at the host."""
    with no_tenant_context():
        organization = organization_for_host(host)
    if organization is None or not organization.is_served:
        return False
    if organization.id != seat.organization.id:
        return False
    with tenant_context(organization):
        return _is_live(session_id=seat.session_id, user_id=seat.user_id)


def visible_changes(*, seat: Seat, payment_ids: Collection[UUID]) -> list[dict[str, str]] | None:
    """What the person may know of these payments right now; None if the session has ended."""
    with tenant_context(seat.organization):
        if not _is_live(session_id=seat.session_id, user_id=seat.user_id):
            return None
        actor = actor_for_user(user_id=seat.user_id)
        rows = (
            payments_visible_to(actor)
            .filter(pk__in=payment_ids)
            .order_by("created_at", "id")
            .values_list("id", "reference", "deal_id", "state", "version")
        )
        return [
            {
                "id": str(payment_id),
                "reference": reference,
                "deal": str(deal_id),
                "state": state,
                "version": str(version),
            }
            for payment_id, reference, deal_id, state, version in rows
        ]


def _is_live(*, session_id: UUID, user_id: UUID) -> bool:
    live = Session.objects.live(at=clock.now())
    return bool(live.filter(pk=session_id, user_id=user_id).exists())
