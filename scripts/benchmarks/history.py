"""Questions about the past of the books, at 10,000 and at 10,000,000 transfers."""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from scripts.benchmarks.goals import Figure, Goal
from scripts.benchmarks.provisioning import as_owner, claim

SMALL = 10_000
# Less takes seconds instead of many minutes.
LARGE = int(os.environ.get("HISTORY_TRANSFERS", "10000000"))
ABOUT = (
    f"Two organizations with {SMALL:,} and {LARGE:,} transfers of the same year between 1,000"
    " customers, revenue and cash: every second one an invoice, the others payments; 3 % are"
    " backdated by up to 60 days, 1 % take effect up to 30 days later. Half of the transfers are of"
    " ten regular customers: in the small books they have 500 each, so that pages of both have 50"
    " lines. They are asked about, in turn, at random days and instants; medians, in milliseconds,"
    " and large over small. `busy` is the revenue account, which half of all transfers share."
)
# What the goal names; the other ratios are told.
GOALS = {
    f"{name}_ratio": Goal(at_most=1.2)
    for name in (
        "balance",
        "statement_page",
        "as_of_balance",
        "busy_as_of_balance",
        "as_of_statement_page",
        "as_of_trial_balance",
    )
}
CUSTOMERS = 1000
REGULARS = 10
START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
CHUNK = 500_000
ROUNDS = 200
AMOUNT = 100
_BUSY, _CASH = CUSTOMERS, CUSTOMERS + 1

_UUID = "lpad(({})::text, 32, '0')::uuid"
# Accounts are numbered: the customers, revenue, cash. Written as the owner, in bulk.
_ACCOUNTS = f"""
INSERT INTO ledger_account (
    id, created_at, updated_at, code, name, kind, normal_side, subledger, currency, subledger_id,
    parent_id, lock_rank, status)
SELECT {_UUID.format("n")}, now(), now(), c.code, c.name, c.kind, c.normal_side,
       c.subledger, 'KES', CASE WHEN n < {CUSTOMERS} THEN md5('p' || n)::uuid END, c.id,
       c.lock_rank, 'open'
  FROM generate_series(0, {_CASH}) AS n
  JOIN ledger_account c ON c.currency IS NULL
   AND c.code = CASE n WHEN {_BUSY} THEN '4000' WHEN {_CASH} THEN '1000' ELSE '1200' END;
INSERT INTO ledger_balance (
    account_id, stripe, posted, held, floor, version, direction, currency, is_open)
SELECT id, 0, 0, 0, NULL, 0, CASE normal_side WHEN 'debit' THEN 1 ELSE -1 END, currency, true
  FROM ledger_account WHERE currency IS NOT NULL;
"""
# The n-th transfer: every second one is of a regular customer, the others of all the rest; among
# themselves they take turns. In even turns they buy, in odd ones they pay.
_OTHERS = CUSTOMERS - REGULARS
_BOUGHT = "(({0}) / {2} * {1} + least(({0}) %% {2}, {1}))"
_TRANSFERS = f"""
INSERT INTO ledger_transfer (
    id, request_hash, journal_id, leg, debit_account_id, debit_stripe, debit_version,
    debit_balance, credit_account_id, credit_stripe, credit_version, credit_balance, amount_minor,
    currency, effective_on, posted_at, kind, rule, source_type, source_id, memo)
SELECT f.id, '\\x{"ab" * 32}', f.id, 1,
       CASE WHEN f.buys THEN f.customer ELSE f.other END, 0,
       CASE WHEN f.buys THEN f.turn + 1 ELSE f.place END,
       CASE WHEN f.buys THEN {AMOUNT} ELSE f.place * {AMOUNT} END,
       CASE WHEN f.buys THEN f.other ELSE f.customer END, 0,
       CASE WHEN f.buys THEN f.place ELSE f.turn + 1 END,
       CASE WHEN f.buys THEN f.place * {AMOUNT} ELSE 0 END,
       {AMOUNT}, 'KES',
       f.at::date + CASE WHEN f.dice < 30 THEN -1 - f.mixed %% 60
                         WHEN f.dice < 40 THEN 1 + f.mixed %% 30 ELSE 0 END::int,
       f.at, 'posting', 'bench', 'bench.document', f.id, ''
  FROM (SELECT {_UUID.format("n")} AS id, {_UUID.format("t.customer")} AS customer, t.turn, b.buys,
               {_UUID.format(f"CASE WHEN b.buys THEN {_BUSY} ELSE {_CASH} END")} AS other,
               CASE WHEN b.buys THEN c.bought ELSE n + 1 - c.bought END AS place,
               (n * 7919 + t.turn * 7) %% 1000 AS dice, n * 31 + t.turn * 17 AS mixed,
               '{START.isoformat()}'::timestamptz + n * interval '365 days' / %(all)s AS at
          FROM generate_series(%(first)s::bigint, %(last)s - 1) AS n
         CROSS JOIN LATERAL (
               SELECT CASE n %% 2 WHEN 0 THEN n / 2 %% {REGULARS}
                                ELSE {REGULARS} + n / 2 %% {_OTHERS} END AS customer,
                      n / 2 / CASE n %% 2 WHEN 0 THEN {REGULARS} ELSE {_OTHERS} END AS turn) AS t
         CROSS JOIN LATERAL (SELECT t.turn %% 2 = 0 AS buys) AS b
         -- How many have bought by then, this one included.
         CROSS JOIN LATERAL (
               SELECT {_BOUGHT.format("n / 2 + 1", REGULARS, 2 * REGULARS)}
                      + {_BOUGHT.format("(n + 1) / 2", _OTHERS, 2 * _OTHERS)} AS bought) AS c) AS f;
UPDATE ledger_balance b SET version = s.version, posted = s.posted
  FROM (SELECT account_id, max(version) AS version FROM (
               SELECT debit_account_id, max(debit_version) FROM ledger_transfer
                WHERE id >= {_UUID.format("%(first)s")} GROUP BY 1
                UNION ALL
               SELECT credit_account_id, max(credit_version) FROM ledger_transfer
                WHERE id >= {_UUID.format("%(first)s")} GROUP BY 1) AS v(account_id, version)
         GROUP BY account_id) AS m(account_id, version)
 CROSS JOIN LATERAL (
       SELECT m.version, CASE WHEN m.account_id < {_UUID.format(_BUSY)} THEN m.version %% 2
                            ELSE m.version END * {AMOUNT} AS posted) AS s
 WHERE b.account_id = m.account_id;
"""
_SIZES = """
SELECT sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname = 'ledger_transfer'),
       sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname <> 'ledger_transfer')
  FROM pg_class c
 WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND c.relname IN (
       'ledger_transfer', 'ledger_settledposition', 'ledger_latearrival', 'ledger_bookline',
       'ledger_recordedsegment', 'ledger_balancesnapshot', 'ledger_balanceday', 'ledger_bookday',
       'ledger_balancedisplacement', 'ledger_booksnapshot', 'ledger_bookdisplacement')
"""


def _owner(schema: str) -> Any:
    import psycopg
    from psycopg import sql

    url = os.environ["DATABASE_OWNER_URL"].replace("postgres://", "postgresql://")
    # Client-side values: several statements go in one call.
    server = psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor)
    server.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(schema)))
    server.execute("SELECT set_config('ledger.writer', 'on', false)")
    return server


def _fill(organization: Any, *, count: int, progress: Callable[[str], None]) -> float:
    """Write the transfers and settle as they come; answer the seconds spent on settling."""
    from shared_apps.kernel import clock
    from tenant_apps.ledger.history.settling import settle
    from tenants.context import tenant_context

    settling = 0.0
    with _owner(organization.schema_name) as server:
        server.execute(_ACCOUNTS)
        for first in range(0, count, CHUNK):
            last = min(first + CHUNK, count)
            server.execute(_TRANSFERS, {"first": first, "last": last, "all": count})
            started = time.perf_counter()
            with tenant_context(organization), clock.frozen(START + YEAR * last / count):
                settle()
            settling += time.perf_counter() - started
            progress(f"{last:,} transfers of {count:,}")
        server.execute("VACUUM ANALYZE")
    with tenant_context(organization):
        settle()
    return settling


def _customer(dice: random.Random) -> UUID:
    return UUID(f"{dice.randrange(REGULARS):032d}")


def _day(dice: random.Random) -> date:
    return (START + timedelta(days=dice.randrange(60, 360))).date()


def _instant(dice: random.Random) -> datetime:
    return START + timedelta(days=60) + dice.random() * timedelta(days=300)


def _questions() -> dict[str, Callable[[random.Random], object]]:
    from tenant_apps.ledger import selectors
    from tenant_apps.ledger.history.balances import balances_at
    from tenant_apps.ledger.history.statements import Statement

    busy = UUID(f"{_BUSY:032d}")

    def held(account: UUID, **when: Any) -> object:
        return balances_at(account_ids=[account], **when)

    def page(account: UUID, **when: Any) -> object:
        return Statement(account_id=account, currency="KES", **when).page(size=50)

    def days_before(at: datetime) -> dict[str, Any]:
        return {"known_at": at, "as_of": at.date() - timedelta(days=20)}

    return {
        "balance": lambda dice: held(_customer(dice)),
        "statement_page": lambda dice: list(
            selectors.account_statement(account_id=_customer(dice))[:50]
        ),
        "busy_statement_page": lambda dice: list(selectors.account_statement(account_id=busy)[:50]),
        "as_of_balance": lambda dice: held(_customer(dice), as_of=_day(dice)),
        "busy_as_of_balance": lambda dice: held(busy, as_of=_day(dice)),
        "known_at_balance": lambda dice: held(_customer(dice), known_at=_instant(dice)),
        "busy_known_at_balance": lambda dice: held(busy, known_at=_instant(dice)),
        "both_times_balance": lambda dice: held(_customer(dice), **days_before(_instant(dice))),
        "busy_both_times_balance": lambda dice: held(busy, **days_before(_instant(dice))),
        "as_of_statement_page": lambda dice: page(_customer(dice), last_day=_day(dice)),
        "busy_as_of_statement_page": lambda dice: page(busy, last_day=_day(dice)),
        "known_at_statement_page": lambda dice: page(
            _customer(dice), known_at=_instant(dice), last_day=_day(dice)
        ),
        "trial_balance": lambda dice: selectors.trial_balance(),
        "as_of_trial_balance": lambda dice: selectors.trial_balance(as_of=_day(dice)),
        "known_at_trial_balance": lambda dice: selectors.trial_balance(known_at=_instant(dice)),
        "both_times_trial_balance": lambda dice: selectors.trial_balance(
            **days_before(_instant(dice))
        ),
    }


def _asked(organization: Any, question: Callable[[random.Random], object], seed: int) -> float:
    from tenants.context import tenant_context

    with tenant_context(organization):
        dice = random.Random(seed)
        started = time.perf_counter()
        question(dice)
        return (time.perf_counter() - started) * 1000


def run(*, progress: Callable[[str], None]) -> Mapping[str, Figure]:
    """Fill and ask; milliseconds, ratios, and what the snapshots take."""
    from django.db import connection

    from tenants.context import tenant_context

    as_owner("fill", "2")
    organizations = {"small": claim(0)()[0], "large": claim(1)()[0]}
    figures: dict[str, Figure] = {}
    for (name, organization), count in zip(organizations.items(), (SMALL, LARGE), strict=True):
        spent = _fill(organization, count=count, progress=progress)
        with tenant_context(organization), connection.cursor() as cursor:
            cursor.execute(_SIZES, [organization.schema_name])
            transfers, snapshots = cursor.fetchone()
        figures[f"{name}_transfer_bytes"] = round(transfers / count)
        figures[f"{name}_snapshot_bytes_per_transfer"] = round(snapshots / count)
        figures[f"{name}_settled_per_second"] = round(count / spent)
    for label, question in _questions().items():
        taken: dict[str, list[float]] = {name: [] for name in organizations}
        for seed in range(ROUNDS):
            for name, organization in organizations.items():
                taken[name].append(_asked(organization, question, seed))
        small, large = (statistics.median(taken[name][20:]) for name in ("small", "large"))
        progress(f"{label}: {small:.2f} and {large:.2f} ms")
        figures[f"{label}_small_milliseconds"] = small
        figures[f"{label}_large_milliseconds"] = large
        figures[f"{label}_ratio"] = large / small
    return figures
