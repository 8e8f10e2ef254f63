"""Real processes and commits: an import is killed, or meets another; nobody else is touched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tenant_apps.deals.models import Deal
from tenant_apps.imports import rows
from tenant_apps.imports.errors import ImportRunning
from tenant_apps.imports.models import ImportRun, ImportState
from tenant_apps.imports.services import running
from tenant_apps.ledger.verification import verify
from tenant_apps.payments.models import Payment, PaymentState
from tenants.context import tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain
from tests import databases
from tests.idempotency.test_parallel_requests import in_threads
from tests.imports.books import (
    DEALS,
    VERIFIER,
    book,
    checksums,
    make_verifier,
    reported,
    run_import,
)

SLICE = 300


def many(number: int) -> Sequence[tuple[str, ...]]:
    """The small book's deals over and over, each under a reference of its own."""
    return [
        (f"{row[0]}-{turn}", *row[1:]) for turn in range(number // len(DEALS) + 1) for row in DEALS
    ][:number]


def start(folder: Path) -> subprocess.Popen[bytes]:
    """The command in a process of its own, in batches so small that it can be caught at work."""
    name = str(connection.settings_dict["NAME"])
    code = (
        "import sys, django; django.setup();"
        "from django.core.management import call_command;"
        "from tenant_apps.imports import rows; rows.ROWS_PER_BATCH = 20;"
        "call_command('import_sales_book', sys.argv[1], organization='acme',"
        f" verifier='{VERIFIER}', mail_domain='acme.invalid', report=sys.argv[1] + '/report.csv')"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        cwd=databases.ROOT,
        env={**databases.environment_for(name), "DJANGO_SETTINGS_MODULE": "tests.settings"},
        stdout=subprocess.DEVNULL,
    )


def story() -> Mapping[str, object]:
    """What matters of the end, without ids and numbers that depend on the order of work."""
    deals = Deal.objects.values_list(
        "external_reference", "stage", "value_minor", "client__name", "owner__full_name"
    )
    payments = Payment.objects.values_list(
        "deal__external_reference", "state", "amount_minor", "effective_on", "allocated_minor"
    )
    return {"deals": set(deals), "payments": set(payments), "number": len(deals)}


@pytest.mark.slow
def test_a_killed_import_is_resumed_to_the_same_end(real_commits: Any, tmp_path: Path) -> None:
    make_verifier()
    folder = book(tmp_path / "book", deals=many(SLICE))
    process = start(folder)
    try:
        deadline = time.monotonic() + 120
        while Deal.objects.count() < 40 and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    standing = Deal.objects.count()
    assert 40 <= standing < SLICE
    assert standing % 20 == 0, "a batch stands whole or not at all"
    assert ImportRun.objects.get().state == ImportState.RUNNING
    # The server may notice a moment later that the process, and its lock, are gone.
    run = _once_free(folder)

    assert (run.counts["recorded"], run.counts["unchanged"]) == (SLICE - standing, standing)
    states = ImportRun.objects.order_by("created_at").values_list("state", flat=True)
    assert list(states) == [ImportState.STOPPED, ImportState.FINISHED]
    assert len(reported(folder)) == sum(row[0][:2] in ("E1", "E2", "P1") for row in many(SLICE))
    assert Payment.objects.exclude(state=PaymentState.VERIFIED).count() == 0
    assert verify().books_hold

    resumed = story()
    with tenant_context(_neighbour()):
        make_verifier()
        run_import(book(tmp_path / "again", deals=many(SLICE)))
        assert story() == resumed


def _once_free(folder: Path) -> ImportRun:
    for _ in range(100):
        try:
            return run_import(folder)
        except ImportRunning:
            time.sleep(0.1)
    return run_import(folder)


def _neighbour() -> Organization:
    return organization_by_subdomain("neighbour")


def test_two_imports_at_once_are_one(
    real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_verifier()
    monkeypatch.setattr(rows, "ROWS_PER_BATCH", 5)

    def importing(number: int) -> object:
        try:
            return run_import(book(tmp_path / str(number), deals=many(40))).counts["recorded"]
        except ImportRunning as refused:
            return refused.code

    found = in_threads(2, real_commits, importing)

    assert sorted(found, key=str) in ([40, "import_running"], [0, 40])
    assert Deal.objects.count() == 40
    assert verify().books_hold


def test_an_import_that_fails_can_be_followed_by_another(
    real_commits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_verifier()
    folder = book(tmp_path / "book")

    def fails(**kwargs: Any) -> None:
        raise MemoryError("at the first product")

    with monkeypatch.context() as patch:
        patch.setattr(running, "import_products", fails)
        with pytest.raises(MemoryError):
            run_import(folder)
    assert ImportRun.objects.get().state == ImportState.STOPPED

    assert run_import(folder).counts["recorded"] == len(DEALS)


def test_the_neighbour_with_equal_keys_is_not_touched(
    tenant: Any, neighbour: Organization, tmp_path: Path
) -> None:
    make_verifier()
    with tenant_context(neighbour):
        before = checksums(neighbour.schema_name, without=())
    assert before

    run_import(book(tmp_path / "book"))

    with tenant_context(neighbour):
        assert checksums(neighbour.schema_name, without=()) == before
        assert not Deal.objects.exists()
