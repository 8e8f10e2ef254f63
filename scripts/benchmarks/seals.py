"""What sealing costs: its own speed, that of a look that finds nothing, and what posting feels."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scripts.benchmarks import posting
from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import ScriptError

ABOUT = (
    "300,000 transfers are sealed, read again and verified; then looks that find nothing. Posting:"
    " two of 100,000 accounts by pgbench, 4 clients, with a sealer beside it that looks every"
    " second over the same without, in turn, five rounds, median of the ratios."
)
GOALS = {
    "sealed_per_second": Goal(at_least=5_000),
    "idle_look_milliseconds": Goal(at_most=250),
}
TRANSFERS = 300_000
ROUNDS = 5
SECONDS = 6
CLIENTS = 4

# Not through the functions, for so many rows are made at once; run as the owner.
_FILL = f"""
INSERT INTO ledger_account (
    id, created_at, updated_at, code, name, kind, normal_side, subledger, currency, subledger_id,
    parent_id, lock_rank, status)
SELECT lpad(n::text, 32, '0')::uuid, now(), now(), c.code, c.name, c.kind, c.normal_side,
       c.subledger, 'KES', md5('p' || n)::uuid, c.id, c.lock_rank, 'open'
  FROM generate_series(1, {posting.ACCOUNTS}) AS n
  JOIN ledger_account c ON c.currency IS NULL AND c.code = '1200';
SELECT set_config('ledger.writer', 'on', false);
INSERT INTO ledger_balance (
    account_id, stripe, posted, held, floor, version, direction, currency, is_open)
SELECT id, 0, 0, 0, NULL, 0, 1, currency, true
  FROM ledger_account WHERE currency IS NOT NULL ORDER BY id;
VACUUM ANALYZE ledger_account; VACUUM ANALYZE ledger_balance;
INSERT INTO ledger_transfer (
    id, request_hash, journal_id, leg, debit_account_id, debit_stripe, debit_version, debit_balance,
    credit_account_id, credit_stripe, credit_version, credit_balance, amount_minor, currency,
    effective_on, posted_at, kind, rule, source_type, source_id, memo)
SELECT (lpad((1790000000000 + n)::text, 16, '0') || md5(n::text)::char(16))::uuid,
       decode(md5(n::text) || md5(n::text), 'hex'), md5('j' || n)::uuid, 1,
       lpad((1 + n % {posting.ACCOUNTS})::text, 32, '0')::uuid, 0,
       -1 - n / {posting.ACCOUNTS}, 100,
       lpad((1 + (n + 7) % {posting.ACCOUNTS})::text, 32, '0')::uuid, 0,
       -1 - n / {posting.ACCOUNTS}, 100,
       5, 'KES', '2026-11-20', now(), 'posting', 'invoice.issued', 'bench.document',
       md5('s' || n)::uuid, ''
  FROM generate_series(1, {TRANSFERS}) AS n;
VACUUM ANALYZE ledger_transfer;
"""


def _as_owner(schema: str, statements: str) -> list[Any]:
    import psycopg
    from psycopg import sql

    owner = os.environ["DATABASE_OWNER_URL"].replace("postgres://", "postgresql://")
    answers = []
    with psycopg.connect(owner, autocommit=True) as server:
        server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for statement in statements.strip().split(";"):
            if statement.strip():
                done = server.execute(statement)  # type: ignore[arg-type]  # texts of this file
                answers.append(done.fetchone() if done.description else None)
    return answers


def _per_second(schema: str, script: str) -> float:
    parts = urlsplit(os.environ["DATABASE_URL"])
    variables = {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGOPTIONS": rf"-c search_path={schema},\ pg_temp -c role={schema}",
    }
    load = ("-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(SECONDS), "-f", script)
    done = subprocess.run(
        [posting.program(), *load], env=variables, check=False, capture_output=True, text=True
    )
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None:
        raise ScriptError(f"pgbench failed:\n{done.stderr[-2000:]}")
    return float(found[1])


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = act()
    return time.perf_counter() - began, answer


def _look(chain: Any) -> float:
    from shared_apps.seals.services import seal_once

    # Others on the server end their transactions meanwhile, which lets the tail move up.
    time.sleep(1)
    return _timed(lambda: seal_once(chain=chain))[0]


def _sealing(*, organization: Any, progress: Callable[[str], None]) -> dict[str, Figure]:
    from shared_apps.seals import chains
    from shared_apps.seals.services import seal_chains
    from shared_apps.seals.verification import verify_chain
    from tenants.context import tenant_context

    transfers = chains.by_name("transfers")
    with tenant_context(organization):
        progress("sealing")
        seconds, sealed = _timed(lambda: seal_chains(seconds=3_600))
        # The first looks of an empty search move the tail up; the later ones are the usual ones.
        looks = [_look(transfers) for _ in range(14)][6:]
        progress("verifying")
        checking, found = _timed(lambda: verify_chain(transfers))
        if found.findings or found.rows != TRANSFERS:
            raise AssertionError(found)
    (size,) = _as_owner(
        organization.schema_name,
        "SELECT pg_total_relation_size('seals_entry') + pg_total_relation_size('seals_segment')",
    )
    return {
        "sealed_per_second": round(sealed / seconds),
        "idle_look_milliseconds": round(statistics.median(looks) * 1000, 1),
        "verified_per_second": round(TRANSFERS / checking),
        "bytes_per_sealed_row": round(size[0] / sealed),
    }


def _beside(*, organization: Any, stop: threading.Event, sealed: list[int]) -> None:
    from django.db import connection

    from shared_apps.seals.services import seal_chains
    from tenants.context import tenant_context

    with tenant_context(organization):
        while not stop.wait(1):
            sealed.append(seal_chains())
    connection.close()


def _posting(*, organization: Any, progress: Callable[[str], None]) -> dict[str, Figure]:
    from shared_apps.seals.services import seal_chains
    from tenants.context import tenant_context

    schema = organization.schema_name
    ratios, sealed = [], list[int]()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "spread.sql"
        script.write_text(posting.SCRIPTS["spread"], encoding="utf-8")
        for number in range(1, ROUNDS + 1):
            progress(f"posting, round {number} of {ROUNDS}")
            alone = _per_second(schema, str(script))
            with tenant_context(organization):
                seal_chains(seconds=3_600)
            stop = threading.Event()
            sealer = threading.Thread(
                target=_beside,
                kwargs={"organization": organization, "stop": stop, "sealed": sealed},
            )
            sealer.start()
            beside = _per_second(schema, str(script))
            stop.set()
            sealer.join()
            ratios.append(beside / alone)
    return {
        "posting_beside_over_alone": round(statistics.median(ratios), 3),
        "sealed_beside": sum(sealed),
    }


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; rows a second, milliseconds, bytes, and a ratio."""
    as_owner("fill", "1")
    organization, *_ = claim(0)()
    progress(f"{TRANSFERS} transfers of {posting.ACCOUNTS} accounts")
    _as_owner(organization.schema_name, _FILL)
    return {
        **_sealing(organization=organization, progress=progress),
        **_posting(organization=organization, progress=progress),
    }
