"""The product's own posting call, on Django's connection, as a process of its own.

`python -m scripts.benchmarks.posting_client SCHEMA KIND SECONDS`: for each line that it is given it
posts for so many seconds and prints transactions a second.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from datetime import date
from uuid import UUID

import django

ACCOUNTS = 100_000


def in_rounds(act: Callable[[], None], *, seconds: float) -> None:
    """Say that this process is ready; at each line, act for so long and tell how often a second.

    Whoever runs several processes lets them go together; an empty input ends them.
    """
    print("ready", flush=True)
    for _ in sys.stdin:
        done, start = 0, time.monotonic()
        while time.monotonic() - start < seconds:
            act()
            done += 1
        print(done / (time.monotonic() - start), flush=True)


def run(*, schema: str, kind: str, seconds: float) -> None:
    """Post one transfer a transaction: `hot` touches one shared account each time."""
    django.setup()
    from django.db import transaction

    from shared_apps.kernel import clock
    from shared_apps.kernel.ids import uuid7, uuid8_near
    from shared_apps.kernel.money import Money
    from tenant_apps.ledger.database import post_legs
    from tenant_apps.ledger.entries import Leg
    from tenants.context import platform_context, tenant_context
    from tenants.models import Organization

    amount, day, digest = Money(5, "KES"), date(2026, 11, 20), b"\xab" * 32

    def leg() -> Leg:
        source = uuid7()
        debit = random.randint(1, ACCOUNTS)
        credit = 0 if kind == "hot" else 1 + (debit + random.randint(0, ACCOUNTS - 2)) % ACCOUNTS
        return Leg(
            id=uuid8_near(source, "leg"),
            request_hash=digest,
            journal_id=uuid8_near(source, "journal"),
            number=1,
            debit_account_id=UUID(f"{debit:032d}"),
            credit_account_id=UUID(f"{credit:032d}"),
            amount=amount,
            effective_on=day,
            kind="posting",
            rule="invoice.issued",
            source_type="bench.document",
            source_id=source,
            credit_rank=100 if kind == "hot" else 0,
        )

    with platform_context(reason="find the organization of a benchmark"):
        organization = Organization.objects.get(schema_name=schema)

    def post() -> None:
        with transaction.atomic():
            post_legs(legs=[leg()], posted_at=clock.now(), actor_id=None)

    with tenant_context(organization):
        in_rounds(post, seconds=seconds)


if __name__ == "__main__":
    run(schema=sys.argv[1], kind=sys.argv[2], seconds=float(sys.argv[3]))
