"""A sealer beside postings that go on, and one that is killed in the middle."""

import os
import random
import signal
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.seals import chains, services
from shared_apps.seals.models import Entry, Progress, Segment
from shared_apps.seals.services import seal_chains
from shared_apps.seals.verification import verify_chain
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.services import post
from tests.ledger.conftest import posting
from tests.seals.conftest import sell
from tests.storms import fork, storm

TRANSFERS = chains.by_name("transfers")
METHODS = ("cash", "bank_transfer", "cheque", "mobile_money", "card")


def a_payment() -> Any:
    rule = f"payment.received.{random.choice(METHODS)}"
    return posting(rule, amount="1.00", party=uuid4())


def holds(*, rows: int) -> None:
    assert Transfer.objects.count() == rows
    assert Entry.objects.filter(chain=TRANSFERS.code).count() == rows
    read = verify_chain(TRANSFERS)
    assert (read.rows, read.waiting, read.findings) == (rows, 0, [])


@pytest.mark.slow
def test_beside_postings_nothing_is_left_out(real_commits: Any, actor: Actor) -> None:
    """Two sealers and six writers, of which some roll back and some commit long after writing."""

    def work(number: int) -> Counter[str]:
        return seal() if number < 2 else write()

    def seal() -> Counter[str]:
        until, sealed = time.monotonic() + 6, 0
        while time.monotonic() < until:
            sealed += seal_chains()
            time.sleep(random.random() / 20)
        return Counter(sealed=sealed)

    def write() -> Counter[str]:
        done: Counter[str] = Counter()
        until = time.monotonic() + 5
        while time.monotonic() < until:
            size = random.randint(1, 40)
            with transaction.atomic():
                post(postings=[a_payment() for _ in range(size)], actor=actor)
                time.sleep(random.choice((0, 0, 0.01, 0.3)))
                undone = random.random() < 0.2
                transaction.set_rollback(undone)
            done["undone" if undone else "written"] += size
        return done

    outcomes = storm(work, processes=8)
    assert set(outcomes) == {"sealed", "undone", "written"}
    assert outcomes["sealed"] > 0
    while seal_chains():
        pass
    holds(rows=outcomes["written"])


def test_a_sealer_that_is_killed_leaves_nothing(
    real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with segments and entries written and not committed, after others that were."""
    monkeypatch.setattr(services, "SEGMENT_ROWS", 5)
    sell(12, actor=actor)
    seal_chains()
    sell(23, actor=actor)
    connection.close()
    written = fork.Event()

    def seal_and_hang() -> None:
        def hang(*args: Any, **options: Any) -> None:
            written.set()
            time.sleep(60)

        Progress.save = hang  # type: ignore[method-assign]
        services.seal_once(chain=TRANSFERS)

    child = fork.Process(target=seal_and_hang)
    child.start()
    assert written.wait(30)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert Segment.objects.filter(chain="transfers").count() == 3
    # The server notices that the killed one's connection is gone, and frees its lock.
    deadline = time.monotonic() + 20
    while not seal_chains() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert Segment.objects.filter(chain="transfers").count() == 8
    holds(rows=35)
