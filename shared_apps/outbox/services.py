"""Steps that write news for the outside, for the audit floor and nobody else to call."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.db.models import Model

from shared_apps.kernel import clock
from shared_apps.kernel.inserting import insert_together

from . import waking
from .errors import NoOpenTransaction
from .models import OutboxMessage

_ROWS_PER_STATEMENT = 1000


def require_open_transaction() -> None:
    """News and its fact must commit or vanish together.

    :raises NoOpenTransaction: the connection is in autocommit mode.
    """
    if not connection.in_atomic_block:
        raise NoOpenTransaction("News is written inside the transaction of its fact.")


def append(messages: Sequence[OutboxMessage], *, entries: Sequence[Model] = ()) -> None:
    """Write the messages, in their order, and wake the relay once the transaction has committed.

    A step: whoever calls it has checked what the actor may do. `entries` are the audit's rows of
    the same events, one for each, written by the same statements. Quiet messages are written as
    relayed, so that the history is whole and nobody is told.

    :raises NoOpenTransaction: there is no transaction to belong to.
    """
    require_open_transaction()
    moment = clock.now()
    for message in messages:
        if message.quiet:
            message.relayed_at = moment
    for start in range(0, len(messages), _ROWS_PER_STATEMENT):
        portion = slice(start, start + _ROWS_PER_STATEMENT)
        if entries:
            insert_together(first=entries[portion], second=messages[portion])
        else:
            OutboxMessage.objects.bulk_create(messages[portion])
    if not all(message.quiet for message in messages):
        waking.wake_after_commit("outbox")


def retry_given_up(*, message_ids: Sequence[UUID]) -> int:
    """Put messages that were given up back in the queue; says how many there were.

    A step for support: what they do was allowed when they were written.
    """
    moment = clock.now()
    count = (
        OutboxMessage.objects.given_up()
        .filter(pk__in=message_ids)
        .update(failed_at=None, attempts=0, next_attempt_at=moment)
    )
    waking.wake_after_commit("outbox")
    return count
