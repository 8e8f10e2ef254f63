"""Live tickets over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView
from tenant_apps.notifications.addresses import socket_address
from tenant_apps.notifications.api.serializers import LiveTicketOut
from tenant_apps.notifications.tickets import LIFETIME_SECONDS, Ticket, issue_ticket
from tenants.context import organization_id
from tenants.routing import host_name


class LiveTicketView(OrganizationView):
    """One-use tickets for the live socket."""

    serializer_class = LiveTicketOut
    secret_actions = frozenset({"post"})
    # A socket lives as long as its session.
    for_people = frozenset({"post"})

    def post(self, request: Request) -> Response:
        """A socket's address and a ticket that opens it once."""
        user_id, session_id = self.actor.user_id, self.actor.session_id
        assert user_id is not None
        assert session_id is not None
        ticket = Ticket(organization_id=organization_id(), user_id=user_id, session_id=session_id)
        return self.answer(
            {
                "address": socket_address(host=host_name(request) or ""),
                "ticket": issue_ticket(ticket),
                "expires_in": LIFETIME_SECONDS,
            }
        )
