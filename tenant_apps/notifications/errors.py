"""What can go wrong with live connections, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import DependencyDown, NotAuthenticated, TooManyRequests


class TicketRefused(NotAuthenticated):
    """It was used, has run out, belongs to another organization, or never existed."""

    code = "live_ticket_refused"
    title = "The ticket is not valid."


class TicketsUnavailable(DependencyDown):
    code = "live_tickets_unavailable"
    title = "Live connections are not available at the moment."


class TooManySockets(TooManyRequests):
    """The person has as many open sockets as anybody may have."""

    code = "too_many_live_sockets"
    title = "Too many live connections are open."
