"""Write down what happened, once, in the transaction in which it happened."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.events import Event
from shared_apps.outbox import services as outbox_services
from shared_apps.outbox.models import OutboxMessage

from .models import AuditEntry
from .subscriptions import tell_subscribers

_ROWS_PER_STATEMENT = 1000
_USER_AGENT_LENGTH = 300
_REQUEST_ID_LENGTH = 128


def record(event: Event, *, actor: Actor) -> AuditEntry:
    """Write the event's audit entry and outbox message and call its subscribers.

    :raises NoOpenTransaction: the caller has not opened a transaction.
    """
    return record_all((event,), actor=actor)[0]


def record_all(events: Iterable[Event], *, actor: Actor, outbox: bool = True) -> list[AuditEntry]:
    """Write many events at once, in their order, and call each subscriber once with all of its.

    A quiet actor's messages are kept for the record and nobody is told. `outbox=False`
    leaves them out altogether: for acts that nobody outside may ever learn of.

    :raises NoOpenTransaction: the caller has not opened a transaction.
    """
    outbox_services.require_open_transaction()
    happened = list(events)
    if not happened:
        return []
    payloads = [event.payload() for event in happened]
    entries = _entries(happened, payloads, actor=actor)
    if outbox:
        outbox_services.append(_messages(happened, payloads, actor=actor), entries=entries)
    else:
        AuditEntry.objects.bulk_create(entries, batch_size=_ROWS_PER_STATEMENT)
    tell_subscribers(happened, actor=actor)
    return entries


def _entries(
    events: Sequence[Event], payloads: Sequence[dict[str, object]], *, actor: Actor
) -> list[AuditEntry]:
    moment = clock.now()
    roles = list(actor.roles)
    ip_address = known_address(actor.ip_address)
    return [
        AuditEntry(
            event_name=event.name,
            subject_type=event.subject_type,
            subject_id=event.subject_id,
            payload=payload,
            actor_label=actor.label,
            actor_user_id=actor.user_id,
            actor_roles=roles,
            on_behalf_of=actor.on_behalf_of,
            session_id=actor.session_id,
            request_id=actor.request_id[:_REQUEST_ID_LENGTH],
            ip_address=ip_address,
            user_agent=actor.user_agent.replace("\x00", "")[:_USER_AGENT_LENGTH],
            recorded_at=moment,
        )
        for event, payload in zip(events, payloads, strict=True)
    ]


def _messages(
    events: Sequence[Event], payloads: Sequence[dict[str, object]], *, actor: Actor
) -> list[OutboxMessage]:
    moment = clock.now()
    return [
        OutboxMessage(
            event_name=event.name,
            subject_id=event.subject_id,
            payload=payload,
            actor_user_id=actor.user_id,
            request_id=actor.request_id[:_REQUEST_ID_LENGTH],
            quiet=actor.quiet,
            created_at=moment,
            next_attempt_at=moment,
        )
        for event, payload in zip(events, payloads, strict=True)
    ]


def known_address(text: str) -> str | None:
    """The address in its one canonical form, None for what is not an address."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
