from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase

from shared_apps.audit.services import record
from shared_apps.outbox import tasks, waking
from shared_apps.outbox.models import OutboxMessage
from tenants.context import (
    no_tenant_context,
    organization_or_none,
    platform_context,
    tenant_context,
)
from tests.audit.news import SUBJECT, KettleBoiled, TeaServed, a_person, undone
from tests.outbox.consumers import consuming


@pytest.fixture
def calls(tenant: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The organizations for which the relay was called, None being the platform."""
    made: list[Any] = []
    monkeypatch.setitem(waking._callers, "outbox", lambda: made.append(organization_or_none()))
    monkeypatch.setattr(waking, "_resting_until", 0.0)
    waking.call_is_taken("outbox")
    return made


@contextmanager
def committed() -> Iterator[None]:
    """A transaction whose callbacks run at its end, within the test's own transaction."""
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        yield
    connection.run_on_commit.clear()


def serve() -> None:
    record(TeaServed(subject_id=SUBJECT), actor=a_person())


def test_wakes_after_the_commit_and_not_before(calls: list[Any], tenant: Any) -> None:
    with committed():
        serve()
        assert calls == []
    assert calls == [tenant]


def test_wakes_nobody_for_what_was_rolled_back(calls: list[Any]) -> None:
    with undone():
        serve()
    assert calls == []


def test_wakes_once_for_many_events_of_one_transaction(calls: list[Any]) -> None:
    with TestCase.captureOnCommitCallbacks() as callbacks, transaction.atomic():
        for _ in range(20):
            with transaction.atomic():
                serve()
    assert len(callbacks) == 1


def test_wakes_once_for_a_burst_of_transactions(calls: list[Any]) -> None:
    for _ in range(20):
        with committed():
            serve()
    assert len(calls) == 1


def test_wakes_again_once_the_call_was_taken(calls: list[Any]) -> None:
    for _ in range(2):
        with committed():
            serve()
        waking.call_is_taken("outbox")
    assert len(calls) == 2


def test_wakes_for_what_stays_when_an_earlier_savepoint_is_rolled_back(calls: list[Any]) -> None:
    with committed():
        with undone():
            serve()
        serve()
    assert len(calls) == 1


def test_wakes_although_the_savepoint_of_the_first_event_is_undone_after_the_second(
    calls: list[Any],
) -> None:
    with committed():
        with undone(), transaction.atomic():
            serve()
        serve()
    assert len(calls) == 1


def test_wakes_the_organization_of_the_writing_even_if_the_context_has_changed(
    calls: list[Any], tenant: Any
) -> None:
    with (
        no_tenant_context(),
        platform_context(reason="test"),
        committed(),
        tenant_context(tenant),
    ):
        serve()
    assert calls == [tenant]


def test_a_quiet_actor_wakes_nobody(calls: list[Any]) -> None:
    with committed():
        record(TeaServed(subject_id=SUBJECT), actor=a_person().quietly())
    assert calls == []


def test_the_poll_calls_where_work_lies_and_nowhere_else(calls: list[Any], tenant: Any) -> None:
    with committed():
        serve()
    calls.clear()
    waking.call_is_taken("outbox")

    with no_tenant_context():
        tasks.poll()
    assert calls == [tenant]


def test_the_task_delivers_and_takes_the_call(tenant: Any) -> None:
    told: list[Any] = []
    with consuming("cook", KettleBoiled, told.append):
        with committed():
            record(KettleBoiled(subject_id=SUBJECT), actor=a_person())
        tasks.relay.apply(headers={"kontor_organization": str(tenant.id)}, throw=True)
    assert len(told) == 1
    assert not OutboxMessage.objects.open().exists()


def test_platform_news_is_relayed_on_the_platform(calls: list[Any]) -> None:
    with no_tenant_context(), platform_context(reason="test"):
        with committed():
            serve()
        assert calls == [None]
        tasks.relay_platform.apply(throw=True)
        assert not OutboxMessage.objects.open().exists()


def test_a_failed_call_hurts_nobody_and_is_not_repeated_at_once(
    calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise ConnectionError

    monkeypatch.setitem(waking._callers, "outbox", fail)
    for _ in range(3):
        waking.call_is_taken("outbox")
        with committed():
            serve()
    assert len(tried) == 1
    assert OutboxMessage.objects.open().count() == 3
