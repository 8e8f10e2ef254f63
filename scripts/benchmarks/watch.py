"""What a run of the watch costs, with nothing, 10,000 and 1,000,000 transfers behind it."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from scripts.benchmarks import history
from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim

SIZES = {"empty": 0, "small": 10_000, "large": int(os.environ.get("WATCH_TRANSFERS", "1000000"))}
CHANGED = 100
ROUNDS = 20
ABOUT = (
    f"Three organizations with 0, {SIZES['small']:,} and {SIZES['large']:,} transfers between"
    f" {history.CUSTOMERS:,} customers, revenue and cash. Of each: the first run, which sweeps;"
    f" runs that find nothing new; runs after {CHANGED} postings. All invariants, medians of"
    f" {ROUNDS}, in milliseconds; large over small, and the sides of transfers that a run has read."
)
GOALS = {"idle_ratio": Goal(at_most=1.5), "changed_ratio": Goal(at_most=1.5)}


def _fill(organization: Any, count: int, progress: Callable[[str], None]) -> None:
    with history._owner(organization.schema_name) as server:
        server.execute(history._ACCOUNTS)
        for first in range(0, count, history.CHUNK):
            last = min(first + history.CHUNK, count)
            server.execute(history._TRANSFERS, {"first": first, "last": last, "all": count})
            progress(f"{last:,} transfers of {count:,}")
        server.execute("VACUUM ANALYZE")


def _run() -> float:
    from shared_apps.access.actors import system_actor
    from tenant_apps.invariants.services import watch

    started = time.perf_counter()
    red = watch(actor=system_actor("bench"))
    taken = (time.perf_counter() - started) * 1000
    assert red == [], f"the benchmark's own books do not hold: {red}"
    return taken


def _post() -> None:
    """Sales to ten customers, by the posting function itself."""
    from django.db import transaction

    from shared_apps.kernel import clock
    from shared_apps.kernel.money import Money
    from tenant_apps.ledger.database import post_legs
    from tenant_apps.ledger.entries import Leg

    legs = []
    for number in range(CHANGED):
        source = uuid4()
        legs.append(
            Leg(
                id=source,
                request_hash=b"\0" * 32,
                journal_id=source,
                number=1,
                debit_account_id=UUID(f"{number % 10:032d}"),
                credit_account_id=UUID(f"{history.CUSTOMERS:032d}"),
                amount=Money(100, "KES"),
                effective_on=date(2026, 1, 2),
                kind="posting",
                source_type="bench.document",
                source_id=source,
                rule="bench",
            )
        )
    with transaction.atomic():
        post_legs(legs=legs, posted_at=clock.now(), actor_id=None)


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Fill, watch, post and watch; milliseconds, ratios, and what was read."""
    from tenant_apps.invariants.models import InvariantCheck
    from tenants.context import tenant_context

    as_owner("fill", str(len(SIZES)))
    figures: dict[str, Figure] = {}
    for number, (name, count) in enumerate(SIZES.items()):
        organization = claim(number)()[0]
        _fill(organization, count, progress)
        with tenant_context(organization):
            figures[f"{name}_sweep_milliseconds"] = _run()
            _run()
            idle = [_run() for _ in range(ROUNDS)]
            changed = []
            for _ in range(ROUNDS):
                _post()
                changed.append(_run())
            balances = InvariantCheck.objects.get(name="ledger.balances")
        figures[f"{name}_idle_milliseconds"] = statistics.median(idle)
        figures[f"{name}_changed_milliseconds"] = statistics.median(changed)
        figures[f"{name}_sides_read"] = balances.rows_read
        progress(f"{name}: idle {statistics.median(idle):.1f} ms")
    for kind in ("idle", "changed"):
        small, large = (float(figures[f"{n}_{kind}_milliseconds"]) for n in ("small", "large"))
        figures[f"{kind}_ratio"] = large / small
    return figures
