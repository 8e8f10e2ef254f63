"""What the routing remembers is never older than what any process was told before."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import caches
from django.db import transaction
from django.test import Client
from redis.exceptions import ConnectionError as RedisAway

from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.onboarding.services import suspend_organization
from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tenants import routing, routing_cache
from tenants.context import platform_context
from tenants.models import Domain, Organization, OrganizationState
from tenants.services import move_domain, remove_domain, set_entitlements, set_state
from tests.conftest import _organization

HOST = "acme.kontor.test"
ROOT = Actor(request_id="test-routing", label="user", checker=AllowsEverything())


def reaches(host: str = HOST) -> str:
    client = Client(raise_request_exception=False)
    answer = client.get("/api/v1/deals/", HTTP_HOST=host)
    return {401: "organization", 403: "suspended", 404: "unknown"}[answer.status_code]


def act(step: Callable[..., Any], **values: Any) -> None:
    with platform_context(reason="test"), transaction.atomic():
        step(**values)


def fail(*args: Any, **options: Any) -> bool:
    raise RedisAway


def suspend(organization: Organization) -> None:
    act(set_state, organization_id=organization.id, state=OrganizationState.SUSPENDED)


def change_plan(organization: Organization) -> None:
    act(set_entitlements, organization_id=organization.id, plan_code="growth", entitlements={})


@pytest.fixture
def before_storing(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """What happens between the next writer's reading and its storing."""
    waiting: list[Callable[[], None]] = []
    remember = routing_cache.remember

    def late(host: str, values: dict[str, Any], *, version: int) -> bool:
        if waiting:
            waiting.pop()()
        return remember(host, values, version=version)

    monkeypatch.setattr(routing_cache, "remember", late)
    return waiting


def test_of_two_writers_the_older_value_is_not_kept(
    real_commits: Organization, before_storing: list[Callable[[], None]]
) -> None:
    assert reaches() == "organization"
    before_storing.append(lambda: suspend(real_commits))
    change_plan(real_commits)
    assert reaches() == "suspended"


def test_a_reader_is_not_slower_than_the_writer(
    real_commits: Organization, before_storing: list[Callable[[], None]]
) -> None:
    before_storing.append(lambda: suspend(real_commits))
    reaches()
    assert reaches() == "suspended"


def test_a_change_of_the_former_owner_does_not_bring_a_moved_host_back(
    real_commits: Organization, before_storing: list[Callable[[], None]]
) -> None:
    neighbour = _organization("neighbour")
    for _ in range(3):
        change_plan(real_commits)
    before_storing.append(lambda: act(move_domain, host=HOST, organization_id=neighbour.id))
    suspend(real_commits)
    assert reaches() == "organization"
    suspend(neighbour)
    assert reaches() == "suspended"


def test_a_host_that_was_removed_may_be_given_to_another_at_once(
    real_commits: Organization, before_storing: list[Callable[[], None]]
) -> None:
    before_storing.append(lambda: act(remove_domain, host=HOST))
    change_plan(real_commits)
    assert reaches() == "unknown"
    neighbour = _organization("neighbour")
    with platform_context(reason="test"):
        Domain.objects.create(domain=HOST, tenant=neighbour, is_primary=False)
        routing.publish_routing(organization_id=neighbour.id)
    assert reaches() == "organization"


def test_nothing_makes_a_value_live_longer(real_commits: Organization) -> None:
    reaches()
    key = routing_cache._key(HOST)
    server = routing_cache._server(caches["routing"]._servers[0])  # type: ignore[attr-defined]
    server.expire(key, 7)
    for _ in range(3):
        reaches()
        with platform_context(reason="test"):
            routing.publish_routing(organization_id=real_commits.id)
    assert 0 < server.ttl(key) <= 7
    suspend(real_commits)
    assert 50 < server.ttl(key) <= routing_cache.LIFETIME_SECONDS


def test_a_value_with_other_fields_is_read_anew(real_commits: Organization) -> None:
    routing_cache.remember(HOST, {"id": real_commits.id, "of_tomorrow": 1}, version=1)
    assert reaches() == "organization"


def test_a_suspension_that_redis_missed_is_told_when_it_is_back(
    real_commits: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reaches() == "organization"
    with monkeypatch.context() as away, platform_context(reason="test"):
        # Nothing can be stored, though others still read what they were told before.
        away.setattr(routing_cache, "remember", fail)
        suspend_organization(organization_id=real_commits.id, reason="unpaid", actor=ROOT)
        assert not routing.routing_is_told(organization_id=real_commits.id)
        relay_due()
        message = OutboxMessage.objects.get(event_name="onboarding.organization_suspended")
        assert message.relayed_at is None
        assert "RoutingNotTold" in message.last_error
    assert reaches() == "organization"

    with platform_context(reason="test"):
        OutboxMessage.objects.update(next_attempt_at=message.created_at)
        relay_due()
        assert routing.routing_is_told(organization_id=real_commits.id)
        assert not OutboxMessage.objects.filter(pk=message.pk, relayed_at=None).exists()
    assert reaches() == "suspended"


def test_what_nobody_remembers_is_told(real_commits: Organization) -> None:
    routing_cache.forget(HOST)
    with platform_context(reason="test"):
        assert routing.routing_is_told(organization_id=real_commits.id)
