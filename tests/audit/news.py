"""Events and actors for the tests of audit and outbox."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from django.db import transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.events import Event

SUBJECT = UUID("018f0000-0000-7000-8000-000000000001")
PERSON = UUID("018f0000-0000-7000-8000-00000000000a")
SESSION = UUID("018f0000-0000-7000-8000-00000000000b")
COLLEAGUE = UUID("018f0000-0000-7000-8000-00000000000c")


@dataclass(frozen=True, slots=True, kw_only=True)
class KettleBoiled(Event):
    app: ClassVar[str] = "kitchen"
    subject_type: ClassVar[str] = "kitchen.kettle"

    cups: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TeaServed(Event):
    app: ClassVar[str] = "kitchen"
    subject_type: ClassVar[str] = "kitchen.tea"


def a_person(**values: object) -> Actor:
    return Actor(
        request_id="request-1",
        user_id=PERSON,
        session_id=SESSION,
        roles=("salesperson", "verifier"),
        ip_address="203.0.113.7",
        user_agent="Firefox",
        on_behalf_of=COLLEAGUE,
    ).changed(**values)


def the_system() -> Actor:
    return Actor(request_id="task-1", label="system:test")


class _Undo(Exception):
    pass


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint within one, that is rolled back at its end."""
    try:
        with transaction.atomic():
            yield
            raise _Undo
    except _Undo:
        pass
