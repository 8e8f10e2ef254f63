"""Two workers on one organization, with real commits and a connection each."""

import threading
from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.audit.services import record_all
from shared_apps.outbox import relay
from shared_apps.outbox.models import ConsumerReceipt, OutboxMessage
from shared_apps.outbox.relay import deliver, relay_due
from tenants.context import tenant_context
from tests.audit.news import SUBJECT, KettleBoiled, a_person
from tests.outbox.consumers import consuming


def in_a_thread(organization: Any, work: Any) -> threading.Thread:
    def run() -> None:
        try:
            with tenant_context(organization):
                work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def boil(count: int) -> None:
    with transaction.atomic():
        record_all(
            [KettleBoiled(subject_id=SUBJECT, cups=n) for n in range(count)], actor=a_person()
        )


def boil_and_relay() -> bool:
    boil(1)
    return relay_due()


def test_one_relay_at_a_time_works_so_that_order_holds(real_commits: Any) -> None:
    boil(5)
    told: list[int] = []
    inside, go_on = threading.Event(), threading.Event()

    def slow(message: OutboxMessage) -> None:
        told.append(message.payload["cups"])
        inside.set()
        assert go_on.wait(20)

    with consuming("cook", KettleBoiled, slow):
        first = in_a_thread(real_commits, relay_due)
        assert inside.wait(20)
        assert relay_due() is False
        assert told == [0]
        go_on.set()
        first.join(20)

    assert told == [0, 1, 2, 3, 4]
    assert not OutboxMessage.objects.open().exists()


def test_work_written_while_a_relay_finishes_is_not_left_behind(real_commits: Any) -> None:
    """The second message comes while the first is delivered, and its caller finds the lock held."""
    boil(1)
    told: list[int] = []

    def one_more(message: OutboxMessage) -> None:
        told.append(message.payload["cups"])
        if len(told) == 1:
            in_a_thread(real_commits, boil_and_relay).join(20)

    with consuming("cook", KettleBoiled, one_more):
        relay_due()
    assert len(told) == 2


def test_work_written_between_the_last_look_and_letting_go_is_not_left_behind(
    real_commits: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    boil(1)
    told: list[int] = []
    drain = relay._drain
    late: list[bool] = []

    def drain_and_be_late(**options: Any) -> bool:
        finished = drain(**options)
        if not late:
            in_a_thread(real_commits, lambda: late.append(boil_and_relay())).join(20)
        return finished

    monkeypatch.setattr(relay, "_drain", drain_and_be_late)
    with consuming("cook", KettleBoiled, lambda message: told.append(1)):
        relay_due()
    assert late == [False]
    assert len(told) == 2


def test_a_message_that_another_has_in_hand_is_passed_over_and_not_waited_for(
    real_commits: Any,
) -> None:
    boil(1)
    message = OutboxMessage.objects.get(event_name="kitchen.kettle_boiled")
    told: list[int] = []
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            OutboxMessage.objects.select_for_update().get(pk=message.pk)
            held.set()
            assert go_on.wait(20)

    holder = in_a_thread(real_commits, hold)
    assert held.wait(20)
    with consuming("cook", KettleBoiled, lambda message: told.append(1)):
        deliver(message)
        assert told == []
        go_on.set()
        holder.join(20)
        deliver(message)
    assert told == [1]


def test_two_deliveries_of_one_message_act_once(real_commits: Any) -> None:
    """As after a lost lock: both have read the message as open and due."""
    boil(1)
    message = OutboxMessage.objects.get(event_name="kitchen.kettle_boiled")
    told: list[int] = []
    barrier = threading.Barrier(4)

    def deliver_it() -> None:
        barrier.wait(20)
        deliver(message)

    with consuming("cook", KettleBoiled, lambda message: told.append(1)):
        threads = [in_a_thread(real_commits, deliver_it) for _ in range(4)]
        for thread in threads:
            thread.join(20)

    assert told == [1]
    assert ConsumerReceipt.objects.count() == 1


def test_a_second_relay_waits_for_the_receipt_and_finds_the_act_done(real_commits: Any) -> None:
    """The claim has run out while the consumer was still at work."""
    boil(1)
    message = OutboxMessage.objects.get(event_name="kitchen.kettle_boiled")
    told: list[int] = []
    inside, go_on = threading.Event(), threading.Event()

    def slow(message: OutboxMessage) -> None:
        told.append(1)
        inside.set()
        assert go_on.wait(20)

    with consuming("cook", KettleBoiled, slow):
        first = in_a_thread(real_commits, lambda: deliver(message))
        assert inside.wait(20)
        OutboxMessage.objects.update(next_attempt_at=message.next_attempt_at)
        second = in_a_thread(real_commits, lambda: deliver(message))
        second.join(0.3)
        go_on.set()
        first.join(20)
        second.join(20)

    assert told == [1]
    assert OutboxMessage.objects.get(pk=message.pk).relayed_at is not None
