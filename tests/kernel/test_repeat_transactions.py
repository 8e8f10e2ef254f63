"""A transaction that the database gave up is run again from its beginning, a few times."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction

from shared_apps.accounts.models import AttemptCounter
from shared_apps.kernel import clock, transactions
from shared_apps.kernel.transactions import TRIES, retrying


class Refusal(Exception):
    """As the driver tells it: the state stands on the cause."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "_PAUSE_SECONDS", 0)


def failing(times: int, sqlstate: str) -> tuple[Callable[[], int], list[int]]:
    """A transaction that writes a row, and is given up the first so many times."""
    tries: list[int] = []

    @transaction.atomic
    def transact() -> int:
        tries.append(len(tries) + 1)
        AttemptCounter.objects.create(id=uuid4(), window_ends_at=clock.now(), attempts=len(tries))
        if len(tries) <= times:
            raise OperationalError("given up") from Refusal(sqlstate)
        return len(tries)

    return transact, tries


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_runs_it_again_from_its_beginning(real_commits: Any, sqlstate: str) -> None:
    transact, tries = failing(2, sqlstate)
    rewound: list[int] = []

    assert retrying(transact, rewind=lambda: rewound.append(len(tries))) == 3

    assert rewound == [1, 2]
    assert [row.attempts for row in AttemptCounter.objects.all()] == [3]


def test_gives_up_after_a_few_tries(real_commits: Any) -> None:
    transact, tries = failing(TRIES, "40P01")

    with pytest.raises(OperationalError):
        retrying(transact)

    assert len(tries) == TRIES
    assert not AttemptCounter.objects.exists()


@pytest.mark.parametrize("sqlstate", ["55P03", "57014", "53300"])
def test_does_not_repeat_what_failed_for_another_reason(real_commits: Any, sqlstate: str) -> None:
    transact, tries = failing(1, sqlstate)

    with pytest.raises(OperationalError):
        retrying(transact)

    assert len(tries) == 1


def test_leaves_a_callers_transaction_to_the_caller(real_commits: Any) -> None:
    transact, tries = failing(1, "40P01")

    with pytest.raises(OperationalError), transaction.atomic():
        retrying(transact)

    assert len(tries) == 1
