"""Reactions that must hold together with the fact: they run in its transaction.

Apps register in ``ready()``; Django calls that in the order of INSTALLED_APPS, which is the order
of the floors, so a posting happens before the rollup that reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.events import Event


class Subscriber(Protocol):
    """Gets all events of its type that one act recorded, so that bulk work stays bulk work."""

    def __call__(self, events: Sequence[Any], *, actor: Actor) -> None: ...


_subscriptions: list[tuple[type[Event], Subscriber]] = []


def subscribe(event_type: type[Event], handler: Subscriber) -> None:
    """Call the handler inside every transaction that records this type of event.

    Registering the same pair again changes nothing.
    """
    if (event_type, handler) not in _subscriptions:
        _subscriptions.append((event_type, handler))


def unsubscribe(event_type: type[Event], handler: Subscriber) -> None:
    """Take a subscription back; for tests that register their own.

    :raises ValueError: there is no such subscription.
    """
    _subscriptions.remove((event_type, handler))


def tell_subscribers(events: Sequence[Event], *, actor: Actor) -> None:
    """Call each subscription with its share of the events, in the order of registration."""
    by_type: dict[type[Event], list[Event]] = {}
    for event in events:
        by_type.setdefault(type(event), []).append(event)
    for event_type, handler in tuple(_subscriptions):
        concerned = by_type.get(event_type)
        if concerned:
            handler(concerned, actor=actor)
