"""When waiting credits are counted: in a scheduled turn, after much at once, at a settlement."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import TestCase

from shared_apps.kernel.actor import Actor
from shared_apps.outbox import waking
from tenant_apps.ledger import folding, tasks
from tenant_apps.ledger.folding import QUEUE
from tenant_apps.ledger.history import settling
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import DeferredCredit
from tenant_apps.ledger.services import fold_waiting, post, postings
from tests.connections import Other
from tests.databases import ROOT
from tests.ledger.later import counted, defer, hold, later, sale

__all__ = ["later"]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setitem(waking._callers, QUEUE, lambda: made.append(QUEUE))
    monkeypatch.setattr(waking, "_resting_until", 0.0)
    waking.call_is_taken(QUEUE)
    return made


@contextmanager
def committed() -> Iterator[None]:
    """A transaction whose callbacks run at its end, within the test's own transaction."""
    with TestCase.captureOnCommitCallbacks(execute=True), transaction.atomic():
        yield
    connection.run_on_commit.clear()


def test_every_process_knows_the_task_that_it_calls() -> None:
    """A request may post much as well, in a process that has not looked for tasks."""
    code = "import django; django.setup(); from shared_apps.outbox.waking import _callers as c;"
    known = subprocess.run(
        [sys.executable, "-c", f"{code} print(*c)"], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    assert QUEUE in known.stdout.split()


def test_a_large_batch_is_counted_right_after_its_commit(
    later: Any,
    actor: Actor,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postings, "_MANY_WAIT", 4)
    with committed():
        post(postings=[sale(net="1.00", tax="1.00")], actor=actor)
    assert not calls
    with committed():
        post(postings=[sale(net="1.00", tax="1.00") for _ in range(2)], actor=actor)
    assert calls == [QUEUE]
    tasks.fold_credits.run()
    assert not DeferredCredit.objects.exists()
    # The task has taken the call: what comes later makes one of its own.
    with committed():
        post(postings=[sale(net="1.00", tax="1.00") for _ in range(2)], actor=actor)
    assert calls == [QUEUE, QUEUE]


def test_in_its_turn_the_scheduler_calls_where_something_waits(
    later: Any, organization: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[Any] = []
    monkeypatch.setattr(tasks, "served_organizations", lambda: [organization])
    monkeypatch.setattr(tasks.fold_credits, "delay", lambda: called.append(organization))
    tasks.fold_credits_everywhere.run()
    assert not called
    post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    tasks.fold_credits_everywhere.run()
    assert called == [organization]


def test_a_turn_counts_more_than_one_portion(
    later: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "PORTION", 2)
    post(postings=[sale(net="1.00", tax="1.00") for _ in range(5)], actor=actor)
    assert fold_waiting() == 10
    assert (counted("4000"), counted("2100")) == ((5, 500), (5, 500))
    assert not DeferredCredit.objects.exists()


def test_a_settlement_looks_again_where_credits_wait_for_an_account_it_did_not_lock(
    later: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = settling.credited_later
    looks: list[int] = []

    def of_a_moment_ago() -> list[Any]:
        looks.append(len(looks))
        return [] if len(looks) == 1 else found()

    monkeypatch.setattr(settling, "credited_later", of_a_moment_ago)
    monkeypatch.setattr(settling, "fold_waiting", lambda: 0)
    post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    assert settle() is not None
    assert len(looks) == 2
    assert counted("4000") == (1, 100)
    hold()


def test_what_another_settlement_has_written_meanwhile_is_left_to_it(
    later: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = settling._write

    def after_another(seen: Any) -> Any:
        monkeypatch.setattr(settling, "_write", write)
        post(postings=[sale(net="2.00", tax="0.00")], actor=actor)
        other = settle()
        assert other is not None
        assert other.transfers == 2
        return write(seen)

    post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    monkeypatch.setattr(settling, "_write", after_another)
    assert settle() is None
    hold()


def test_nobody_counts_between_the_look_of_a_settlement_and_its_counting(
    real_commits: Any, actor: Actor
) -> None:
    with transaction.atomic():
        defer(actor)
        post(postings=[sale(net="1.00", tax="0.00")], actor=actor)
    fold_waiting()
    with transaction.atomic():
        # Nothing waits, so that only the look itself can keep others out.
        assert settle() is not None
        seller = Other(
            real_commits,
            lambda: (
                post(postings=[sale(net="1.00", tax="0.00")], actor=actor),
                fold_waiting(),
            ),
        )
        assert seller.waits()
    assert seller.end() == "done"
    hold()
