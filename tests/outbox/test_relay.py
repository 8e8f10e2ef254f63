from datetime import UTC, datetime, timedelta

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import transaction

from shared_apps.audit.services import record, record_all
from shared_apps.kernel import clock
from shared_apps.kernel.errors import Conflict
from shared_apps.outbox.errors import ConsumerNameTaken
from shared_apps.outbox.models import ConsumerReceipt, OutboxMessage
from shared_apps.outbox.relay import MAX_ATTEMPTS, pause_after, relay_due
from shared_apps.outbox.selectors import backlog, given_up_messages
from shared_apps.outbox.services import retry_given_up
from tests.audit.news import SUBJECT, KettleBoiled, TeaServed, a_person, the_system
from tests.outbox.consumers import consuming

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def boil(*cups: int) -> None:
    record_all([KettleBoiled(subject_id=SUBJECT, cups=each) for each in cups], actor=a_person())


class Cook:
    """Remembers what it was told and stumbles over the cups it is allergic to."""

    def __init__(self, *, allergic_to: int = -1, error: type[Exception] = ZeroDivisionError):
        self.told: list[int] = []
        self.allergic_to = allergic_to
        self.error = error

    def __call__(self, message: OutboxMessage) -> None:
        cups = message.payload["cups"]
        self.told.append(cups)
        if cups == self.allergic_to:
            raise self.error(f"no {cups}")


def test_hands_messages_over_in_the_order_they_were_written(tenant: object) -> None:
    cook = Cook()
    boil(3, 1, 2)
    with consuming("cook", KettleBoiled, cook):
        assert relay_due() is False

    assert cook.told == [3, 1, 2]
    assert not OutboxMessage.objects.open().exists()


def test_hands_nothing_over_twice(tenant: object) -> None:
    cook = Cook()
    boil(1)
    with consuming("cook", KettleBoiled, cook):
        relay_due()
        OutboxMessage.objects.update(relayed_at=None, next_attempt_at=clock.now())
        relay_due()

    assert cook.told == [1]
    assert ConsumerReceipt.objects.filter(consumer="cook").count() == 1


def test_tells_quiet_messages_to_nobody(tenant: object) -> None:
    cook = Cook()
    record(KettleBoiled(subject_id=SUBJECT), actor=the_system().quietly())
    with consuming("cook", KettleBoiled, cook):
        relay_due()
    assert cook.told == []


def test_finishes_messages_that_nobody_listens_to(tenant: object) -> None:
    record(TeaServed(subject_id=SUBJECT), actor=a_person())
    relay_due()
    assert OutboxMessage.objects.get(event_name="kitchen.tea_served").relayed_at is not None


def test_a_poison_message_does_not_hold_up_the_others(tenant: object) -> None:
    cook = Cook(allergic_to=1)
    boil(1, 2, 3)
    with consuming("cook", KettleBoiled, cook):
        relay_due()

    assert cook.told == [1, 2, 3]
    (poison,) = OutboxMessage.objects.open()
    assert poison.payload["cups"] == 1
    assert poison.attempts == 1
    assert poison.last_error == "cook: builtins.ZeroDivisionError"


def test_tries_again_later_and_with_growing_pauses(tenant: object) -> None:
    cook = Cook(allergic_to=1)
    with clock.frozen(NOON) as time, consuming("cook", KettleBoiled, cook):
        boil(1)
        relay_due()
        relay_due()
        assert len(cook.told) == 1
        time.advance(seconds=10)
        relay_due()
        assert len(cook.told) == 2
        time.advance(seconds=19)
        relay_due()
        assert len(cook.told) == 2
        time.advance(seconds=1)
        cook.allergic_to = -1
        relay_due()

    assert len(cook.told) == 3
    message = OutboxMessage.objects.get(event_name="kitchen.kettle_boiled")
    assert message.relayed_at == NOON + timedelta(seconds=30)
    assert message.last_error == ""


def test_pauses_end_at_six_hours() -> None:
    assert [pause_after(n).total_seconds() for n in (1, 2, 3)] == [10, 20, 40]
    assert pause_after(500) == timedelta(hours=6)


def test_puts_a_message_aside_after_the_last_attempt_until_a_person_retries_it(
    tenant: object,
) -> None:
    cook = Cook(allergic_to=1)
    with clock.frozen(NOON) as time, consuming("cook", KettleBoiled, cook):
        boil(1)
        for _ in range(MAX_ATTEMPTS + 3):
            relay_due()
            time.advance(hours=6)
        assert len(cook.told) == MAX_ATTEMPTS
        (message,) = given_up_messages()
        assert backlog().given_up == 1
        assert backlog().waiting == 0

        cook.allergic_to = -1
        assert retry_given_up(message_ids=[message.pk]) == 1
        relay_due()

    assert len(cook.told) == MAX_ATTEMPTS + 1
    assert not given_up_messages().exists()


def test_a_consumer_that_has_succeeded_is_not_called_again_for_a_failing_one(
    tenant: object,
) -> None:
    cook, guest = Cook(allergic_to=1), Cook()
    with (
        clock.frozen(NOON) as time,
        consuming("cook", KettleBoiled, cook),
        consuming("guest", KettleBoiled, guest),
    ):
        boil(1)
        relay_due()
        time.advance(minutes=1)
        relay_due()

    assert (cook.told, guest.told) == ([1, 1], [1])


def test_what_a_failing_consumer_wrote_is_undone_with_its_receipt(tenant: object) -> None:
    def write_and_fail(message: OutboxMessage) -> None:
        record(TeaServed(subject_id=SUBJECT), actor=the_system())
        raise ZeroDivisionError

    boil(1)
    with consuming("cook", KettleBoiled, write_and_fail):
        relay_due()

    assert not OutboxMessage.objects.filter(event_name="kitchen.tea_served").exists()
    assert not ConsumerReceipt.objects.exists()


def test_stores_the_words_of_our_own_errors_and_only_the_names_of_others(tenant: object) -> None:
    class Busy(Conflict):
        code = "kitchen_busy"

    boil(1, 2)
    with consuming("cook", KettleBoiled, Cook(allergic_to=1, error=Busy)):
        relay_due()
    with consuming("cook", KettleBoiled, Cook(allergic_to=1)):
        pass
    assert OutboxMessage.objects.open().get().last_error == "cook: kitchen_busy: no 1"


def test_an_attempt_that_ends_the_process_is_counted_and_others_go_on(tenant: object) -> None:
    """The claim is committed before the consumer runs; here the worker is told to stop."""
    cook = Cook(allergic_to=1, error=SoftTimeLimitExceeded)
    boil(1, 2)
    with consuming("cook", KettleBoiled, cook):
        with pytest.raises(SoftTimeLimitExceeded):
            relay_due()
        relay_due()

    assert cook.told == [1, 2]
    assert OutboxMessage.objects.open().get().attempts == 1


def test_gives_up_on_a_message_whose_every_attempt_ended_the_process(tenant: object) -> None:
    cook = Cook()
    boil(1)
    OutboxMessage.objects.update(attempts=MAX_ATTEMPTS)
    with consuming("cook", KettleBoiled, cook):
        relay_due()

    assert cook.told == []
    assert given_up_messages().count() == 1


def test_stops_when_its_time_is_up_and_says_that_work_is_left(tenant: object) -> None:
    cook = Cook()
    boil(1, 2)
    with consuming("cook", KettleBoiled, cook):
        assert relay_due(seconds=0) is True
        assert cook.told == [1]
        assert relay_due() is False
    assert cook.told == [1, 2]


def test_names_of_consumers_are_taken_once() -> None:
    with (
        consuming("cook", KettleBoiled, Cook()),
        pytest.raises(ConsumerNameTaken),
        consuming("cook", TeaServed, Cook()),
    ):
        pass


def test_a_deferred_violation_at_commit_is_a_failure_of_that_consumer_only(
    real_commits: object,
) -> None:
    from shared_apps.outbox.models import OutboxMessage as Message

    def break_the_promise(message: Message) -> None:
        ConsumerReceipt.objects.create(consumer="cook 2", message_id=SUBJECT)

    with transaction.atomic():
        boil(1)
    with consuming("cook", KettleBoiled, break_the_promise):
        relay_due()
    assert "IntegrityError" in OutboxMessage.objects.open().get().last_error
    assert not ConsumerReceipt.objects.exists()
