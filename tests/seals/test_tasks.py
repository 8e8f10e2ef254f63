"""The scheduler's entrances: every organization has its turn, and each its own."""

from typing import Any

import pytest

from shared_apps.kernel.actor import Actor
from shared_apps.seals import tasks
from shared_apps.seals.models import Anchor, Entry, Segment
from shared_apps.seals.selectors import PLATFORM
from shared_apps.seals.services import seal_chains
from tenants.context import platform_context, tenant_context
from tenants.selectors import organization_by_subdomain
from tests.seals.conftest import sell, write_platform_entries


def take_turn(**options: Any) -> None:
    assert options["expires"] == 240
    seal_chains()


def test_each_organization_is_sealed_and_anchored(
    real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The turn is taken at once, in the organization for which it would have been sent.
    monkeypatch.setattr(tasks.seal, "apply_async", take_turn)
    sell(2, actor=actor)
    write_platform_entries(1)
    tasks.seal_everywhere()
    # A task leaves the connection in no tenant.
    with tenant_context(real_commits):
        assert Entry.objects.filter(chain=1).count() == 2
    neighbour = organization_by_subdomain("neighbour")
    with tenant_context(neighbour):
        assert Segment.objects.filter(chain="audit").exists()
    tasks.anchor_everywhere()
    tasks.anchor_everywhere()
    tasks.drop_old_everywhere()
    with platform_context(reason="test"):
        kept = set(Anchor.objects.values_list("organization_id", "chain"))
        assert Anchor.objects.count() == 4
    assert kept == {
        (PLATFORM, "audit"),
        (real_commits.id, "transfers"),
        (real_commits.id, "audit"),
        (neighbour.id, "audit"),
    }
