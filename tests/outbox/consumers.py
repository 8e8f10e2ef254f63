"""Consumers that exist for one test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from shared_apps.kernel.events import Event
from shared_apps.outbox import consumers
from shared_apps.outbox.models import OutboxMessage


@contextmanager
def consuming(
    name: str, event_type: type[Event], handler: Callable[[OutboxMessage], None]
) -> Iterator[None]:
    """Register the handler for the block."""
    consumers.consumer(name, event_type)(handler)
    try:
        yield
    finally:
        consumers._names.pop(name)
        registered = consumers._consumers[event_type.event_name()]
        registered[:] = [each for each in registered if each.name != name]
