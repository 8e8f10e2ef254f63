"""A hot account whose credits are counted later, measured with the counting of what it posts.

A process of the product counts what waits as often as its scheduler does, beside the postings. What
is left at their end is counted at once, and the time that it takes is added to theirs: no speed is
told that the folds do not keep up with. As a module it is that process:
`python -m scripts.benchmarks.posting_deferral SCHEMA`.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import LiteralString

import psycopg
from psycopg import sql

from scripts.benchmarks.goals import Figure
from scripts.state import PROJECT, ScriptError

# Three turns of the scheduler.
SECONDS = 15

_SIZE: LiteralString = "SELECT pg_total_relation_size('ledger_transfer')"
_SIZE_OF_FOLDS: LiteralString = "SELECT pg_total_relation_size('ledger_foldedcredit')"
_AT_ONCE: LiteralString = "SELECT count(*) FROM ledger_transfer WHERE credit_version IS NOT NULL"
_LATER: LiteralString = "SELECT count(*) FROM ledger_transfer WHERE credit_version IS NULL"


class Folds:
    """The process that counts what waits, for the time of a run."""

    def __init__(self, *, schema: str) -> None:
        self._schema = schema
        # What the table of transfers grew by in the runs.
        self._grown = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "scripts.benchmarks.posting_deferral", schema],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._line()

    def beside(self, post: Callable[[], float]) -> float:
        """What `post` does a second, which takes `SECONDS`, with all of it counted."""
        before = self._ask(_SIZE)
        self._tell("go")
        per_second = post()
        end = time.monotonic()
        self._tell("end")
        # A fold that was running then is waited for as well.
        self._line()
        rest = time.monotonic() - end
        self._grown += self._ask(_SIZE) - before
        return per_second * SECONDS / (SECONDS + rest)

    def bytes_per_transfer(self) -> dict[str, Figure]:
        """The table of transfers with its indexes, over its rows; with credits counted later, too.

        To those belongs the table of what was counted.
        """
        at_once = (self._ask(_SIZE) - self._grown) // self._ask(_AT_ONCE)
        later = (self._grown + self._ask(_SIZE_OF_FOLDS)) // max(self._ask(_LATER), 1)
        return {"bytes_per_transfer": at_once, "bytes_per_deferred_transfer": later}

    def end(self) -> None:
        """Let the process go."""
        self._process.communicate()

    def _ask(self, question: LiteralString) -> int:
        owner = os.environ["DATABASE_OWNER_URL"].replace("postgres://", "postgresql://")
        with psycopg.connect(owner, autocommit=True) as server:
            server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(self._schema)))
            row = server.execute(question).fetchone()
        assert row is not None
        return int(row[0])

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ScriptError("counting what waits failed")
        return line


def run(*, schema: str) -> None:
    """From each line of the input to the next: count what waits, on time; then the rest of it."""
    import django

    django.setup()
    from config.celery import app
    from tenant_apps.ledger.models import DeferredCredit
    from tenant_apps.ledger.services import fold_waiting
    from tenants.context import platform_context, tenant_context
    from tenants.models import Organization

    apart = float(app.conf.beat_schedule["credits to be counted"]["schedule"])
    with platform_context(reason="find the organization of a benchmark"):
        organization = Organization.objects.get(schema_name=schema)
    with tenant_context(organization):
        fold_waiting()
        print("ready", flush=True)
        while sys.stdin.readline():
            turn = time.monotonic() + apart
            while not select.select([sys.stdin], [], [], max(0.0, turn - time.monotonic()))[0]:
                fold_waiting()
                turn += apart
            sys.stdin.readline()
            fold_waiting()
            if DeferredCredit.objects.exists():
                raise ScriptError("something still waits to be counted")
            print("counted", flush=True)


if __name__ == "__main__":
    run(schema=sys.argv[1])
