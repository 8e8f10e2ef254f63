"""Locks by name: one at a time in an organization, and no neighbour waits for it."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.db import connection, transaction

from tenants.context import no_tenant_context, tenant_context
from tenants.errors import NoTenant
from tenants.locks import alone_for_a_while, hold_shared, lock_number, try_alone
from tenants.models import Organization


def elsewhere(organization: Organization, act: Callable[[], Any]) -> Any:
    """What an act answers on a connection of its own, in a transaction of its own."""
    answers: list[Any] = []

    def run() -> None:
        try:
            with tenant_context(organization), transaction.atomic():
                answers.append(act())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    return answers[0]


def is_free(name: str) -> bool:
    with alone_for_a_while(name) as is_mine:
        return is_mine


def test_is_kept_for_the_whole_block_and_let_go_behind_it(real_commits: Organization) -> None:
    with alone_for_a_while("work") as is_mine:
        assert is_mine
        with transaction.atomic():
            pass
        assert elsewhere(real_commits, lambda: is_free("work")) is False
        assert elsewhere(real_commits, lambda: try_alone("work")) is False
        assert elsewhere(real_commits, lambda: is_free("other work")) is True
    assert elsewhere(real_commits, lambda: is_free("work")) is True


def test_whoever_does_not_get_it_lets_go_of_nothing(real_commits: Organization) -> None:
    with alone_for_a_while("work"):
        assert elsewhere(real_commits, lambda: is_free("work")) is False
        assert elsewhere(real_commits, lambda: is_free("work")) is False


def test_is_let_go_when_the_block_fails(real_commits: Organization) -> None:
    with suppress(ZeroDivisionError), alone_for_a_while("work"):
        raise ZeroDivisionError
    assert elsewhere(real_commits, lambda: is_free("work")) is True


def test_of_a_transaction_end_with_it(real_commits: Organization) -> None:
    with transaction.atomic():
        assert try_alone("work")
        assert elsewhere(real_commits, lambda: try_alone("work")) is False
    with transaction.atomic():
        hold_shared("work")
        assert elsewhere(real_commits, lambda: try_alone("work")) is False
    assert elsewhere(real_commits, lambda: try_alone("work")) is True


def test_a_neighbour_has_locks_of_its_own(
    real_commits: Organization, neighbour: Organization
) -> None:
    with alone_for_a_while("work"):
        assert elsewhere(neighbour, lambda: is_free("work")) is True
    own = lock_number("work")
    with tenant_context(neighbour):
        assert lock_number("work") != own
    assert -(2**63) <= own < 2**63


def test_nobody_has_a_lock_in_no_tenant(tenant: Organization) -> None:
    with no_tenant_context(), pytest.raises(NoTenant):
        lock_number("work")
