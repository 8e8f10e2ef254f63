"""One-use tickets that let a browser open a socket.

A socket cannot carry an Authorization header, and a token in an address ends up in logs. So the
API hands out a ticket that lives for seconds, works once, and is worth nothing in another
organization. Tickets lie in Redis, never in the database: they are forgotten by design.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from uuid import UUID

import redis
from django.conf import settings

from shared_apps.kernel import redis_clients
from shared_apps.kernel.ids import random_token
from tenant_apps.notifications.errors import TicketRefused, TicketsUnavailable

LIFETIME_SECONDS = 30
_SOCKET_TIMEOUT_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Who may open one socket."""

    organization_id: UUID
    user_id: UUID
    session_id: UUID


def issue_ticket(ticket: Ticket) -> str:
    """The secret text of a new ticket, good for `LIFETIME_SECONDS`.

    :raises TicketsUnavailable: Redis does not answer.
    """
    secret = random_token()
    value = json.dumps(
        {
            "organization": str(ticket.organization_id),
            "user": str(ticket.user_id),
            "session": str(ticket.session_id),
        }
    )
    try:
        server().set(_key(secret), value, ex=LIFETIME_SECONDS)
    except (redis.RedisError, OSError) as down:
        raise TicketsUnavailable from down
    return secret


def redeem_ticket(*, secret: str, organization_id: UUID) -> Ticket:
    """Use a ticket up. It is gone even when it is refused: a stolen one cannot be tried around.

    :raises TicketRefused: there is none of this text, or it belongs to another organization.
    :raises TicketsUnavailable: Redis does not answer.
    """
    try:
        # Taking and deleting is one command, so that of two parallel attempts one gets it.
        value = server().getdel(_key(secret))
    except (redis.RedisError, OSError) as down:
        raise TicketsUnavailable from down
    if not isinstance(value, bytes | str):
        raise TicketRefused
    stored = json.loads(value)
    ticket = Ticket(
        organization_id=UUID(stored["organization"]),
        user_id=UUID(stored["user"]),
        session_id=UUID(stored["session"]),
    )
    if ticket.organization_id != organization_id:
        raise TicketRefused
    return ticket


def _key(secret: str) -> str:
    # Only the hash: whoever reads Redis cannot open sockets.
    digest = hashlib.sha256(secret.encode()).hexdigest()
    return f"{settings.REDIS_PREFIX}:live-ticket:{digest}"


def server() -> redis.Redis:
    """This process's way to Redis."""
    return redis_clients.client(
        settings.REDIS_URL,
        connect_seconds=_SOCKET_TIMEOUT_SECONDS,
        answer_seconds=_SOCKET_TIMEOUT_SECONDS,
    )
