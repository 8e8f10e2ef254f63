"""Background work that collided with another is done again, whole."""

import threading
from typing import Any
from uuid import UUID, uuid4

import pytest
from celery import Celery
from django.db import OperationalError, connection, transaction

from shared_apps.accounts.models import AttemptCounter
from shared_apps.kernel import clock, transactions
from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tenants.context import organization_id, tenant_context
from tenants.models import Organization
from tenants.tasks import HEADER, TenantTask, in_every_organization
from tests.audit.news import KettleBoiled
from tests.outbox.consumers import consuming
from tests.outbox.test_relay import boil

application = Celery("repeated", task_cls=TenantTask, broker="memory://", set_as_current=False)
ONE, OTHER = UUID(int=1), UUID(int=2)
meeting: Any = None
tries: list[str] = []


class Deadlock(Exception):
    sqlstate = "40P01"


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "_PAUSE_SECONDS", 0.001)
    tries.clear()


def given_up_once() -> None:
    if len(tries) == 1:
        raise OperationalError("given up") from Deadlock()


@application.task
def add_to_both(first: str, second: str) -> None:
    tries.append(first)
    with transaction.atomic():
        for number, which in enumerate((first, second)):
            row = AttemptCounter.objects.select_for_update().get(pk=UUID(which))
            row.attempts += 1
            row.save()
            # Both hold their first row before either asks for its second one.
            if number == 0 and len(tries) <= 2:
                meeting.wait(20)


def test_two_tasks_that_wait_for_each_other_are_both_done(real_commits: Organization) -> None:
    global meeting
    meeting = threading.Barrier(2)
    for pk in (ONE, OTHER):
        AttemptCounter.objects.create(pk=pk, window_ends_at=clock.now(), attempts=0)
    failures: list[BaseException] = []

    def work(first: UUID, second: UUID) -> None:
        try:
            add_to_both.apply(
                args=(str(first), str(second)), headers={HEADER: str(real_commits.id)}
            ).get()
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=pair) for pair in ((ONE, OTHER), (OTHER, ONE))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []
    assert len(tries) == 3
    assert [row.attempts for row in AttemptCounter.objects.order_by("pk")] == [2, 2]


@application.task
def tell_where() -> None:
    tries.append(str(organization_id()))
    AttemptCounter.objects.create(pk=uuid4(), window_ends_at=clock.now(), attempts=1)
    if len(tries) == 1:
        # Whatever a first try did to the connection, the next begins in its organization.
        connection.set_no_tenant()
    given_up_once()


def test_another_try_runs_in_the_same_organization(real_commits: Organization) -> None:
    tell_where.apply(headers={HEADER: str(real_commits.id)}).get()
    assert tries == [str(real_commits.id)] * 2


def test_a_task_that_fails_otherwise_is_not_repeated(real_commits: Organization) -> None:
    @application.task
    def fail() -> None:
        tries.append("fail")
        raise OperationalError("the server is gone")

    with pytest.raises(OperationalError):
        fail.apply(headers={HEADER: str(real_commits.id)}).get()
    assert tries == ["fail"]


def test_one_organizations_part_of_a_sweep_is_repeated_alone(real_commits: Organization) -> None:
    def act() -> None:
        tries.append(str(organization_id()))
        given_up_once()

    in_every_organization(act)
    assert len(tries) == 3
    assert tries[0] == tries[1] != tries[2]


def test_a_consumer_that_collided_is_called_again_at_once(real_commits: Organization) -> None:
    def handler(message: OutboxMessage) -> None:
        tries.append("told")
        given_up_once()

    with tenant_context(real_commits):
        with transaction.atomic():
            boil(1)
        with consuming("cook", KettleBoiled, handler):
            relay_due()
        assert tries == ["told", "told"]
        assert not OutboxMessage.objects.open().filter(attempts__gt=1).exists()
        assert not OutboxMessage.objects.open().exists()
