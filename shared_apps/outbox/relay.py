"""Hands messages of one organization to their consumers: at least once, oldest first.

One relay at a time works for an organization, so that messages go out in their order. A message
is claimed before its consumers run: should one of them take the whole process down, the message
waits for its next attempt while the others go on, and the attempt is counted. Each consumer runs
in a transaction of its own, together with its receipt. One that fails is tried again later, with
growing pauses, and after the last attempt the message is put aside where `given_up` shows it.
"""

from __future__ import annotations

import time
from datetime import timedelta

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.transactions import retrying
from tenants.locks import alone_for_a_while

from .consumers import Consumer, consumers_of
from .models import ConsumerReceipt, OutboxMessage

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(hours=6)
_MESSAGES_PER_LOOK = 200
_LOCK = "outbox.relay"
_ERROR_LENGTH = 2000


def pause_after(attempts: int) -> timedelta:
    """How long a message waits after so many attempts: 10 s, 20 s, 40 s ... at most 6 hours."""
    return min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)


def relay_due(*, seconds: float = 60.0) -> bool:
    """Deliver what is due in the present tenant; says whether work is left over.

    Stops after about `seconds`, so that one busy organization does not keep a worker for itself.
    """
    deadline = time.monotonic() + seconds
    while OutboxMessage.objects.due(at=clock.now()).exists():
        with alone_for_a_while(_LOCK) as is_mine:
            if not is_mine:
                # The one at work looks again after it has let go, so nothing is missed.
                return False
            finished = _drain(deadline=deadline)
        if not finished:
            return True
    return False


def _drain(*, deadline: float) -> bool:
    """Deliver until nothing is due (True) or the time is up (False)."""
    while True:
        messages = list(
            OutboxMessage.objects.due(at=clock.now()).order_by("id")[:_MESSAGES_PER_LOOK]
        )
        if not messages:
            return True
        _finish_those_without_consumers(messages)
        for message in messages:
            if consumers_of(message.event_name):
                deliver(message)
                if time.monotonic() >= deadline:
                    return False


def _finish_those_without_consumers(messages: list[OutboxMessage]) -> None:
    unheard = [message.pk for message in messages if not consumers_of(message.event_name)]
    if unheard:
        OutboxMessage.objects.filter(pk__in=unheard).update(relayed_at=clock.now())


def deliver(message: OutboxMessage) -> None:
    """Try every consumer that has no receipt yet, and write down how it went."""
    claimed = _claim(message)
    if claimed is None:
        return
    done = set(claimed.receipts.values_list("consumer", flat=True))
    errors = [
        error
        for consumer in consumers_of(claimed.event_name)
        if consumer.name not in done and (error := _try(consumer, claimed))
    ]
    if errors:
        _postpone(claimed, errors)
    else:
        OutboxMessage.objects.filter(pk=claimed.pk).update(relayed_at=clock.now(), last_error="")


def _claim(message: OutboxMessage) -> OutboxMessage | None:
    """Count the attempt and set the next one, or None where another relay was faster."""
    moment = clock.now()
    with transaction.atomic():
        claimed = (
            OutboxMessage.objects.due(at=moment)
            .select_for_update(skip_locked=True, no_key=True)
            .filter(pk=message.pk)
            .first()
        )
        if claimed is None:
            return None
        if claimed.attempts >= MAX_ATTEMPTS:
            # Its last attempt was begun and never came back: it ends the worker's process.
            _put_aside(claimed, error="The last attempt did not come back.")
            return None
        claimed.attempts += 1
        claimed.next_attempt_at = moment + pause_after(claimed.attempts)
        claimed.save(update_fields=["attempts", "next_attempt_at"])
    return claimed


def _try(consumer: Consumer, message: OutboxMessage) -> str:
    """Run one consumer with its receipt; the error's text, empty when it went well."""

    @transaction.atomic
    def act() -> None:
        _take_receipt(consumer, message)
        consumer.handler(message)

    try:
        retrying(act)
    except _DoneBefore:
        return ""
    except SoftTimeLimitExceeded:
        # The worker is about to be stopped. The claim has counted the attempt.
        raise
    except Exception as error:
        logger.exception(
            "consumer_failed",
            consumer=consumer.name,
            event_name=message.event_name,
            message_id=str(message.pk),
            attempt=message.attempts,
        )
        return f"{consumer.name}: {_named(error)}"
    return ""


def _named(error: Exception) -> str:
    """What may be stored: texts of foreign errors quote values, ours do not."""
    if isinstance(error, DomainError):
        return f"{error.code}: {error.detail}"
    return f"{type(error).__module__}.{type(error).__qualname__}"


class _DoneBefore(Exception):
    """Another relay has this consumer's receipt."""


def _take_receipt(consumer: Consumer, message: OutboxMessage) -> None:
    """The receipt comes first: a second relay then waits for ours and finds the act done."""
    try:
        ConsumerReceipt.objects.create(consumer=consumer.name, message_id=message.pk)
    except IntegrityError as error:
        raise _DoneBefore from error


def _postpone(message: OutboxMessage, errors: list[str]) -> None:
    error = "\n".join(errors).replace("\x00", "")[:_ERROR_LENGTH]
    if message.attempts >= MAX_ATTEMPTS:
        _put_aside(message, error=error)
    else:
        OutboxMessage.objects.filter(pk=message.pk).update(
            last_error=error, next_attempt_at=clock.now() + pause_after(message.attempts)
        )


def _put_aside(message: OutboxMessage, *, error: str) -> None:
    OutboxMessage.objects.filter(pk=message.pk).update(last_error=error, failed_at=clock.now())
    logger.error("message_given_up", event_name=message.event_name, message_id=str(message.pk))
