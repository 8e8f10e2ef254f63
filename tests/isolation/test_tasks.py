"""Background work reaches the organization in its header, or nobody."""

from typing import Any
from uuid import uuid4

import pytest
from celery import Celery
from django.db import connection, transaction

from shared_apps.accounts.models import User
from shared_apps.outbox import tasks as outbox_tasks
from tenants.context import (
    current_organization,
    no_tenant_context,
    organization_or_none,
    platform_context,
    tenant_context,
)
from tenants.errors import NoTenant, TaskRefused
from tenants.models import Organization, OrganizationState
from tenants.services import set_state
from tenants.tasks import HEADER, TenantTask

seen: list[Any] = []
application = Celery("test", task_cls=TenantTask, broker="memory://", set_as_current=False)


@application.task
def names() -> None:
    seen.append((current_organization().id, set(User.objects.values_list("full_name", flat=True))))


@application.task(platform=True)
def organizations() -> None:
    seen.append(Organization.objects.count())


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    seen.clear()


def run(task: Any, **headers: str) -> Any:
    """As a worker does: the task's body, with the headers that came with the message."""
    return task.apply(headers=headers).get()


def test_runs_in_the_organization_of_its_header(
    organization: Organization, neighbour: Organization
) -> None:
    for each in (organization, neighbour):
        with tenant_context(each):
            User.objects.create(email="one@example.com", full_name=f"of {each.name}")
    run(names, **{HEADER: str(organization.id)})
    run(names, **{HEADER: str(neighbour.id)})
    assert seen == [
        (organization.id, {f"of {organization.name}"}),
        (neighbour.id, {f"of {neighbour.name}"}),
    ]


def test_is_refused_without_a_header(organization: Organization) -> None:
    with pytest.raises(TaskRefused):
        run(names)
    assert seen == []


def test_is_refused_for_an_unknown_organization(organization: Organization) -> None:
    with pytest.raises(TaskRefused):
        run(names, **{HEADER: str(uuid4())})
    assert seen == []


def test_is_refused_for_a_suspended_organization(organization: Organization) -> None:
    with platform_context(reason="test"), transaction.atomic():
        set_state(organization_id=organization.id, state=OrganizationState.SUSPENDED)
    with pytest.raises(TaskRefused):
        run(names, **{HEADER: str(organization.id)})
    assert seen == []


def test_cannot_be_sent_from_no_tenant(organization: Organization) -> None:
    with no_tenant_context(), pytest.raises(TaskRefused):
        names.delay()
    with platform_context(reason="test"), pytest.raises(TaskRefused):
        names.delay()


def test_carries_the_organization_that_sent_it(organization: Organization) -> None:
    with tenant_context(organization):
        sent = names.apply_async(queue=f"test-{uuid4()}")
    with application.connection_for_read() as link:
        assert sent.id
        assert link is not None


def test_a_platform_task_sees_the_platform(organization: Organization) -> None:
    run(organizations)
    assert seen == [2]


def test_leaves_the_sender_where_it_was(tenant: Organization, neighbour: Organization) -> None:
    run(names, **{HEADER: str(neighbour.id)})
    assert current_organization() == tenant
    assert connection.schema_name == tenant.schema_name


def test_a_thread_starts_in_no_tenant(real_commits: Organization) -> None:
    import threading

    outcome: list[Any] = []

    def read() -> None:
        try:
            outcome.append(User.objects.count())
        except NoTenant:
            outcome.append("refused")
        finally:
            connection.close()

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert outcome == ["refused"]


def test_an_organization_in_trouble_does_not_hold_up_the_others(
    organization: Organization, neighbour: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubled = min(organization, neighbour, key=lambda one: one.id)
    looked_into: set[Any] = set()

    def look() -> bool:
        if current_organization_or_platform() == troubled.id:
            with connection.cursor() as cursor:
                cursor.execute("SELECT * FROM a_table_whose_migration_failed")
        looked_into.add(current_organization_or_platform())
        return False

    monkeypatch.setattr(outbox_tasks, "has_due_messages", look)
    outbox_tasks.poll()
    others = {organization.id, neighbour.id} - {troubled.id}
    assert looked_into >= others | {None}


def current_organization_or_platform() -> Any:
    found = organization_or_none()
    return found.id if found else None
