"""A host name that leads elsewhere, or nowhere: who did it and why stands in the platform's log."""

from typing import Any

import pytest
from django.db import connection

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.errors import DomainError
from shared_apps.onboarding.services import move_domain, remove_domain
from shared_apps.outbox.models import OutboxMessage
from shared_apps.outbox.relay import relay_due
from tenants import routing_cache
from tenants.context import platform_context
from tenants.models import Domain, Organization
from tests.conftest import _organization
from tests.tenants.test_routing_versions import HOST, fail, reaches

ROOT = Actor(request_id="test-addresses", label="user", checker=AllowsEverything())


def entries(name: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(event_name=f"onboarding.{name}"))


def test_a_move_is_recorded(real_commits: Organization) -> None:
    neighbour = _organization("neighbour")
    with platform_context(reason="test"):
        move_domain(host=HOST, organization_id=neighbour.id, reason=" sold ", actor=ROOT)
        (entry,) = entries("domain_moved")
        assert Domain.objects.get(domain=HOST).tenant_id == neighbour.id
    assert entry.subject_id == neighbour.id
    assert entry.payload == {
        "subject_id": str(neighbour.id),
        "host": HOST,
        "former_organization_id": str(real_commits.id),
        "reason": "sold",
    }


def test_a_removal_is_recorded(real_commits: Organization) -> None:
    assert reaches() == "organization"
    with platform_context(reason="test"):
        remove_domain(host=HOST, reason="given up", actor=ROOT)
        (entry,) = entries("domain_removed")
    assert entry.subject_id == real_commits.id
    assert entry.payload["host"] == HOST
    assert entry.payload["reason"] == "given up"
    assert reaches() == "unknown"


def test_a_removal_that_redis_missed_is_told_when_it_is_back(
    real_commits: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reaches() == "organization"
    with monkeypatch.context() as away, platform_context(reason="test"):
        away.setattr(routing_cache, "remember", fail)
        remove_domain(host=HOST, reason="given up", actor=ROOT)
        relay_due()
        message = OutboxMessage.objects.get(event_name="onboarding.domain_removed")
        assert "RoutingNotTold" in message.last_error
    assert reaches() == "organization", "what it was told before"
    with platform_context(reason="test"):
        OutboxMessage.objects.update(next_attempt_at=message.created_at)
        relay_due()
        assert not OutboxMessage.objects.filter(pk=message.pk, relayed_at=None).exists()
    assert reaches() == "unknown"


@pytest.mark.parametrize(
    ("host", "reason", "code"),
    [("nobody.kontor.test", "x", "no_such_host"), (HOST, "  ", "invalid_input")],
)
def test_refusals_change_nothing(
    real_commits: Organization, host: str, reason: str, code: str
) -> None:
    with platform_context(reason="test"):
        for act in (
            lambda: move_domain(
                host=host, organization_id=_organization("neighbour").id, reason=reason, actor=ROOT
            ),
            lambda: remove_domain(host=host, reason=reason, actor=ROOT),
        ):
            with pytest.raises(DomainError) as refusal:
                act()
            assert refusal.value.code == code
        assert Domain.objects.get(domain=HOST).tenant_id == real_commits.id
        assert entries("domain_moved") == entries("domain_removed") == []


def test_a_host_that_leads_there_already_is_left(real_commits: Organization) -> None:
    with platform_context(reason="test"):
        before = Domain.objects.get(domain=HOST).routing_version
        with pytest.raises(DomainError) as refusal:
            move_domain(host=HOST, organization_id=real_commits.id, reason="x", actor=ROOT)
        assert refusal.value.code == "organization_state_unchanged"
        assert Domain.objects.get(domain=HOST).routing_version == before


def test_rows_of_the_release_before_have_versions(platform: Any) -> None:
    """It names no version when it claims a schema."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND column_name = 'routing_version' AND column_default IS NOT NULL ORDER BY 1"
        )
        assert [name for (name,) in cursor.fetchall()] == ["tenants_domain", "tenants_organization"]
