"""What a socket asks of the database. Each function is one call inside the tenant's context.

A socket lives for hours on an event loop and its database calls run on any thread of a pool, so
nothing about the tenant may be remembered by a thread: every function here enters the context,
reads, and leaves the thread as it was, which is in no tenant.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from shared_apps.access.actors import actor_for_user
from shared_apps.accounts.models import Session
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.notifications.errors import TicketRefused, TooManySockets
from tenant_apps.notifications.places import keep_place, leave_place, take_place
from tenant_apps.notifications.tickets import redeem_ticket
from tenant_apps.payments.selectors import payments_visible_to
from tenants.context import no_tenant_context, tenant_context
from tenants.models import Organization
from tenants.routing import organization_for_host

_SEE = "payments.view_payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Whose socket it is, and what its person may hear of at this moment."""

    organization: Organization
    user_id: UUID
    session_id: UUID
    socket: str
    sees_payments: bool


def take_seat(*, host: str, secret: str, socket: str) -> Seat:
    """Open a socket, by the name that the process gave it, at a host with a ticket.

    :raises TicketRefused: no organization is served there, the ticket is not good for it, or its
        session has ended meanwhile.
    :raises TooManySockets: the person has no place left.
    :raises TicketsUnavailable: Redis does not answer.
    """
    organization = _served_at(host)
    if organization is None:
        raise TicketRefused
    ticket = redeem_ticket(secret=secret, organization_id=organization.id)
    with tenant_context(organization):
        if not _is_live(session_id=ticket.session_id, user_id=ticket.user_id):
            raise TicketRefused
        actor = actor_for_user(user_id=ticket.user_id)
        seat = Seat(
            organization=organization,
            user_id=ticket.user_id,
            session_id=ticket.session_id,
            socket=socket,
            sees_payments=actor.allows(_SEE),
        )
    if not take_place(organization_id=organization.id, user_id=seat.user_id, socket=socket):
        raise TooManySockets
    return seat


def present_seat(*, seat: Seat, host: str) -> Seat | None:
    """The seat with the rights of this moment; None if the session has ended, or the organization
    is not served at the host any more.

    :raises TicketsUnavailable: Redis does not answer.
    """
    actor = _still_there(seat, host)
    if actor is None:
        return None
    keep_place(organization_id=seat.organization.id, user_id=seat.user_id, socket=seat.socket)
    with tenant_context(seat.organization):
        return replace(seat, sees_payments=actor.allows(_SEE))


def leave_seat(*, seat: Seat) -> None:
    """Let the next socket of the person have the place."""
    leave_place(organization_id=seat.organization.id, user_id=seat.user_id, socket=seat.socket)


def visible_changes(
    *, seat: Seat, host: str, payment_ids: Collection[UUID]
) -> list[dict[str, str]] | None:
    """What the person may know of these payments right now; None if the seat is lost."""
    actor = _still_there(seat, host)
    if actor is None:
        return None
    with tenant_context(seat.organization):
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


def _served_at(host: str) -> Organization | None:
    with no_tenant_context():
        organization = organization_for_host(host)
    return organization if organization is not None and organization.is_served else None


def _still_there(seat: Seat, host: str) -> Actor | None:
    """The person as an actor, unless organization, host or session have been lost meanwhile."""
    organization = _served_at(host)
    if organization is None or organization.id != seat.organization.id:
        return None
    with tenant_context(organization):
        if not _is_live(session_id=seat.session_id, user_id=seat.user_id):
            return None
        return actor_for_user(user_id=seat.user_id)


def _is_live(*, session_id: UUID, user_id: UUID) -> bool:
    live = Session.objects.live(at=clock.now())
    return bool(live.filter(pk=session_id, user_id=user_id).exists())
