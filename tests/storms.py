"""Many processes or threads at the same moment, and what must hold after any storm."""

import multiprocessing
import os
import random
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg.errors import DeadlockDetected, LockNotAvailable

from shared_apps.kernel.errors import DomainError
from tenant_apps.dashboards.recounting import differences
from tenants.context import tenant_context

PROCESSES = 16
Work = Callable[[int], Counter[str]]

# A child of fork has no use for the parent's connection, so the parent has none at that moment.
fork = multiprocessing.get_context("fork")


def storm(work: Work, *, processes: int = PROCESSES) -> Counter[str]:
    """Run the work in processes that start together; answer what happened, counted."""
    connection.close()
    start = fork.Barrier(processes)
    results: Any = fork.SimpleQueue()
    children = [
        fork.Process(target=_child, args=(work, number, start, results))
        for number in range(processes)
    ]
    for child in children:
        child.start()
    total: Counter[str] = Counter()
    for _ in children:
        total.update(results.get())
    for child in children:
        child.join()
    return total


def _child(work: Work, number: int, start: Any, results: Any) -> None:
    random.seed(number)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        start.wait(30)
        results.put(work(number))
    except BaseException:
        results.put(Counter({traceback.format_exc(): 1}))
    finally:
        connection.close()
        os._exit(0)


ATTEMPTS = 12


def attempt(act: Callable[[], Any]) -> str:
    """What became of an act in a transaction: done, the code of its refusal, or given up.

    A deadlock is tried again from the start, as the API does with its outermost transaction. So is
    a wait for a lock that took too long: the API answers 409 with Retry-After to that.
    """
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                act()
        except DomainError as error:
            return error.code
        except OperationalError as error:
            if not isinstance(error.__cause__, DeadlockDetected | LockNotAvailable):
                raise
        else:
            return "done"
    return "given up"


def at_once(organization: Any, acts: list[Callable[[], Any]]) -> Counter[str]:
    """Attempt each act in a thread of its own, all let go together; what became of each."""
    gate = threading.Barrier(len(acts))
    ends: Counter[str] = Counter()
    counting = threading.Lock()
    unforeseen: list[str] = []

    def run(act: Callable[[], Any]) -> None:
        try:
            with tenant_context(organization):
                gate.wait(20)
                end = attempt(act)
            with counting:
                ends[end] += 1
        except Exception:
            unforeseen.append(traceback.format_exc())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not unforeseen, "\n".join(unforeseen)
    assert sum(ends.values()) == len(acts), "an act had not ended after a minute"
    return ends


def assert_rollup_is_recount() -> None:
    assert differences() == []
