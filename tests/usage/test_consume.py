"""Quotas are decided by the database, in one statement."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from tenant_apps.usage.errors import QuotaExceeded
from tenant_apps.usage.models import QuotaBypass
from tenant_apps.usage.selectors import quota_uses
from tenant_apps.usage.services import consume, release
from tenants.context import tenant_context
from tenants.models import Organization

ACTOR = Actor(request_id="test")


def limited(organization: Organization, **quotas: int) -> Organization:
    organization.entitlements = {"quotas": quotas, "features": []}
    return organization


def used(name: str) -> int:
    return next(use.used for use in quota_uses() if use.name == name)


def test_counts_up_to_the_limit_and_refuses_beyond(tenant: Organization) -> None:
    limited(tenant, users=3)
    consume(name="users", amount=2, actor=ACTOR)
    consume(name="users", actor=ACTOR)
    with pytest.raises(QuotaExceeded) as refused, transaction.atomic():
        consume(name="users", actor=ACTOR)
    assert refused.value.extra == {"quota": "users", "limit": 3, "used": 3, "left": 0}
    assert used("users") == 3


def test_the_first_use_is_refused_when_it_is_too_much(tenant: Organization) -> None:
    limited(tenant, users=3)
    with pytest.raises(QuotaExceeded):
        consume(name="users", amount=4, actor=ACTOR)
    assert used("users") == 0


def test_an_absent_quota_is_unlimited_but_counted(tenant: Organization) -> None:
    limited(tenant)
    consume(name="deals_per_month", amount=10_000, actor=ACTOR)
    assert used("deals_per_month") == 10_000


def test_a_limit_of_zero_allows_nothing(tenant: Organization) -> None:
    limited(tenant, users=0)
    with pytest.raises(QuotaExceeded):
        consume(name="users", actor=ACTOR)


def test_what_is_let_past_is_counted_and_recorded(tenant: Organization) -> None:
    limited(tenant, deals_per_month=5)
    consume(name="deals_per_month", amount=7, actor=ACTOR, bypass_reason="import of a sales book")
    assert used("deals_per_month") == 7
    bypass = QuotaBypass.objects.get()
    assert (bypass.amount, bypass.reason) == (7, "import of a sales book")


def test_release_gives_back_and_never_goes_below_zero(tenant: Organization) -> None:
    limited(tenant, users=1)
    consume(name="users", actor=ACTOR)
    release(name="users")
    consume(name="users", actor=ACTOR)
    release(name="users", amount=9)
    assert used("users") == 0


def test_neighbours_count_apart(organization: Organization, neighbour: Organization) -> None:
    with tenant_context(limited(organization, users=1)):
        consume(name="users", actor=ACTOR)
    with tenant_context(limited(neighbour, users=1)):
        assert used("users") == 0
        consume(name="users", actor=ACTOR)


def test_no_race_passes_a_quota(real_commits: Organization) -> None:
    organization = limited(real_commits, users=20)
    outcomes: list[Any] = []

    def work() -> None:
        try:
            with tenant_context(organization):
                for _ in range(10):
                    try:
                        consume(name="users", actor=replace(ACTOR))
                        outcomes.append("counted")
                    except QuotaExceeded:
                        outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("counted") == 20
    assert outcomes.count("refused") == 40
    assert used("users") == 20
