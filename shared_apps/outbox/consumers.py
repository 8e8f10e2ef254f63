"""Who is told about which event after commit.

A consumer gets every message at least once and usually in the order they were written. Its
database effects and its receipt commit together, so those happen once. Whatever it does outside
the database (a mail, a call) may happen again after a crash and must bear it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared_apps.kernel.events import Event

from .errors import ConsumerNameTaken
from .models import OutboxMessage

Handler = Callable[[OutboxMessage], None]
HandlerT = TypeVar("HandlerT", bound=Handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    name: str
    handler: Handler


_consumers: dict[str, list[Consumer]] = {}
_names: dict[str, Handler] = {}


def consumer(name: str, *event_types: type[Event]) -> Callable[[HandlerT], HandlerT]:
    """Register the decorated function for these events under a name that never changes.

    :raises ConsumerNameTaken: another function has the name.
    """

    def register(handler: HandlerT) -> HandlerT:
        if _names.setdefault(name, handler) is not handler:
            raise ConsumerNameTaken(name)
        for event_type in event_types:
            _consumers.setdefault(event_type.event_name(), []).append(
                Consumer(name=name, handler=handler)
            )
        return handler

    return register


def consumers_of(event_name: str) -> tuple[Consumer, ...]:
    """The consumers of an event, in the order of their registration."""
    return tuple(_consumers.get(event_name, ()))
