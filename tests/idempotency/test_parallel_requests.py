"""Real threads and real commits: one key, one effect."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.accounts.models import AttemptCounter, User
from shared_apps.idempotency.models import IdempotencyKey
from tenants.context import tenant_context
from tests.accounts.people import make_user
from tests.idempotency.till import sales

SALE = {"amount": "5"}
AT_ONCE = 8


def in_threads(count: int, organization: Any, act: Callable[[int], Any]) -> list[Any]:
    """Run `act` on threads of their own, each in the organization, all starting together."""
    start = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            with tenant_context(organization):
                start.wait(timeout=20)
                return act(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def payer(real_commits: Any) -> User:
    return make_user("payer@acme.example")


def test_one_key_takes_effect_once(real_commits: Any, payer: User, call: Any) -> None:
    answers = in_threads(AT_ONCE, real_commits, lambda number: call(payer, SALE, key="k-1"))

    statuses = sorted(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    made = {answer.data["id"] for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    assert sales() == 1
    assert IdempotencyKey.objects.count() == 1


def test_says_that_the_first_is_still_running(real_commits: Any, payer: User, call: Any) -> None:
    second: list[Any] = []

    def try_again(row: Any) -> None:
        second.extend(in_threads(1, real_commits, lambda number: call(payer, SALE, key="k-1")))

    first = call(payer, SALE, key="k-1", during=staticmethod(try_again))

    assert first.status_code == 201
    assert second[0].status_code == 409
    assert second[0].data["code"] == "idempotency_request_running"
    assert second[0]["Retry-After"] == "1"
    assert sales() == 1


def test_a_neighbour_with_the_same_ids_is_not_in_the_way(
    real_commits: Any, payer: User, call: Any
) -> None:
    from tenants.selectors import organization_by_subdomain

    neighbour = organization_by_subdomain("neighbour")
    answers: list[Any] = []

    def meanwhile(row: Any) -> None:
        answers.extend(in_threads(1, neighbour, lambda number: call(payer, SALE, key="k-1")))

    first = call(payer, SALE, key="k-1", during=staticmethod(meanwhile))

    assert (first.status_code, answers[0].status_code) == (201, 201)
    assert first.data["id"] != answers[0].data["id"]


def test_repeats_the_whole_transaction_after_a_deadlock(
    real_commits: Any, payer: User, call: Any
) -> None:
    from uuid import UUID

    from shared_apps.kernel import clock

    one, other = UUID(int=1), UUID(int=2)
    for row_id in (one, other):
        AttemptCounter.objects.create(id=row_id, window_ends_at=clock.now(), attempts=0)
    both_hold_one = threading.Barrier(2)
    tries = [0, 0]

    def collide(number: int) -> Any:
        first, second = (one, other) if number == 0 else (other, one)

        def lock_both(row: Any) -> None:
            tries[number] += 1
            AttemptCounter.objects.select_for_update().get(id=first)
            if tries[number] == 1:
                both_hold_one.wait(timeout=20)
            AttemptCounter.objects.select_for_update().get(id=second)

        return call(payer, SALE, key=f"k-{number}", during=staticmethod(lock_both))

    answers = in_threads(2, real_commits, collide)

    assert [answer.status_code for answer in answers] == [201, 201]
    assert sorted(tries) == [1, 2]
    assert sales() == 2 + 2


def test_rehearsing_with_real_commits_leaves_nothing(
    real_commits: Any, payer: User, call: Any
) -> None:
    called: list[str] = []
    call(
        payer,
        SALE,
        key="k-1",
        query="?dry_run=true",
        afterwards=staticmethod(lambda: called.append("mail")),
    )

    assert called == []
    assert sales() == 0
    assert not transaction.get_connection().in_atomic_block
