"""What the books promise, as the watch reads it: only what moved, and everything now and then.

Each check is one statement and so sees one moment. `verify_books` reads more, and always all.

Which balances moved is found by comparing each with its checkpoint, the version and the amount at
which it was last found right; so a balance that was changed behind the functions' back counts as
moved too. Of a moved balance only the transfers after its checkpoint are read.
"""

from __future__ import annotations

from django.db import connection

from shared_apps.kernel.invariants import (
    MOST_FINDINGS,
    Finding,
    Invariant,
    Reading,
    Watermark,
    register,
)
from shared_apps.seals.invariants import chain_invariant

from .sealing import JOURNAL_METADATA, TRANSFERS

CONCERNS = "ledger"

_MOVED = """
moved AS MATERIALIZED (
    SELECT b.account_id, b.stripe, b.posted, b.version,
           CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END AS direction,
           coalesce(c.version, 0) AS from_version, coalesce(c.posted, 0) AS from_posted
      FROM ledger_balance b
      LEFT JOIN ledger_checkpoint c ON c.account_id = b.account_id AND c.stripe = b.stripe
      LEFT JOIN ledger_account a ON a.id = b.account_id
     WHERE b.version <> coalesce(c.version, 0) OR b.posted <> coalesce(c.posted, 0)
),
side AS (
    -- Looked up by index, balance by balance: a join might read all transfers.
    SELECT m.account_id, m.stripe, s.*
      FROM moved m CROSS JOIN LATERAL (
        SELECT t.debit_version AS version, t.debit_balance AS balance, t.id AS transfer_id,
               m.direction * t.amount_minor AS change
          FROM ledger_transfer t
         WHERE t.debit_account_id = m.account_id AND t.debit_stripe = m.stripe
           AND t.debit_version > m.from_version
         UNION ALL
        SELECT t.credit_version, t.credit_balance, t.id, -m.direction * t.amount_minor
          FROM ledger_transfer t
         WHERE t.credit_account_id = m.account_id AND t.credit_stripe = m.stripe
           AND t.credit_version > m.from_version
         UNION ALL
        SELECT f.version, f.balance, f.transfer_id, -m.direction * t.amount_minor
          FROM ledger_foldedcredit f
          LEFT JOIN LATERAL (
               SELECT t.amount_minor FROM ledger_transfer t
                WHERE t.id = f.transfer_id AND t.credit_version IS NULL
                  AND t.credit_account_id = f.account_id OFFSET 0) t ON true
         WHERE f.account_id = m.account_id AND f.stripe = m.stripe
           AND f.version > m.from_version
        OFFSET 0) s
)
"""
_ALL = """
side AS (
    SELECT t.debit_account_id AS account_id, t.debit_stripe AS stripe,
           t.debit_version AS version, t.debit_balance AS balance, t.id AS transfer_id,
           CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END * t.amount_minor AS change
      FROM ledger_transfer t LEFT JOIN ledger_account a ON a.id = t.debit_account_id
     UNION ALL
    SELECT t.credit_account_id, t.credit_stripe, coalesce(t.credit_version, f.version),
           coalesce(t.credit_balance, f.balance), t.id,
           CASE a.normal_side WHEN 'debit' THEN -1 ELSE 1 END * t.amount_minor
      FROM ledger_transfer t
      LEFT JOIN ledger_account a ON a.id = t.credit_account_id
      LEFT JOIN ledger_foldedcredit f
        ON f.transfer_id = t.id AND f.account_id = t.credit_account_id
      LEFT JOIN ledger_deferredcredit w
        ON w.transfer_id = t.id AND w.account_id = t.credit_account_id
     -- What waits is no side of the balance yet.
     WHERE t.credit_version IS NOT NULL OR f.transfer_id IS NOT NULL OR w.transfer_id IS NULL
),
moved AS MATERIALIZED (
    SELECT coalesce(b.account_id, s.account_id) AS account_id,
           coalesce(b.stripe, s.stripe) AS stripe, b.posted, b.version,
           0::bigint AS from_version, 0::bigint AS from_posted
      FROM ledger_balance b
      FULL JOIN (SELECT DISTINCT account_id, stripe FROM side) s
        ON s.account_id = b.account_id AND s.stripe = b.stripe
),
forgotten AS (
    DELETE FROM ledger_checkpoint c
     WHERE NOT EXISTS (SELECT FROM ledger_balance b
                        WHERE b.account_id = c.account_id AND b.stripe = c.stripe)
)
"""
# What is right is written down in the statement that has read it.
_BALANCES = """
, step AS (
    SELECT s.*, m.from_version + row_number() OVER w AS place,
           lag(s.balance, 1, m.from_posted) OVER w AS balance_before
      FROM side s JOIN moved m ON m.account_id = s.account_id AND m.stripe = s.stripe
    WINDOW w AS (PARTITION BY s.account_id, s.stripe ORDER BY s.version, s.transfer_id)
),
kept AS (
    SELECT s.account_id, s.stripe, count(*) AS transfers, sum(s.change) AS change,
           bool_and(s.version IS NOT DISTINCT FROM s.place) AS without_gap,
           bool_and(s.balance IS NOT DISTINCT FROM s.balance_before + s.change) AS step_by_step
      FROM step s GROUP BY s.account_id, s.stripe
),
compared AS (
    SELECT m.*, coalesce(k.transfers, 0) AS transfers, coalesce(k.change, 0) AS change,
           m.from_version + coalesce(k.transfers, 0) IS NOT DISTINCT FROM m.version
               AND m.from_posted + coalesce(k.change, 0) IS NOT DISTINCT FROM m.posted AS is_sum,
           coalesce(k.without_gap, true) AS without_gap,
           coalesce(k.step_by_step, true) AS step_by_step
      FROM moved m LEFT JOIN kept k ON k.account_id = m.account_id AND k.stripe = m.stripe
),
written AS (
    INSERT INTO ledger_checkpoint AS c (account_id, stripe, version, posted)
    SELECT account_id, stripe, version, posted
      FROM compared WHERE is_sum AND without_gap AND step_by_step
    ON CONFLICT (account_id, stripe) DO UPDATE
       SET version = excluded.version, posted = excluded.posted
     WHERE (c.version, c.posted) <> (excluded.version, excluded.posted)
)
(SELECT '', '', '', (SELECT count(*) FROM side))
UNION ALL
(SELECT 'balances equal their transfers', account_id || '/' || stripe,
        'balance ' || coalesce(posted::text, 'missing') || ' at version '
        || coalesce(version, 0) || ', transfers give ' || from_posted + change
        || ' at version ' || from_version + transfers, 0
   FROM compared WHERE NOT is_sum ORDER BY account_id, stripe LIMIT %(most)s)
UNION ALL
(SELECT 'versions have no gap', s.account_id || '/' || s.stripe,
        'version ' || coalesce(s.version::text, 'none') || ' stands at place ' || s.place
        || ', transfer ' || s.transfer_id, 0
   FROM step s WHERE s.version IS DISTINCT FROM s.place
  ORDER BY s.account_id, s.stripe, s.place LIMIT %(most)s)
UNION ALL
(SELECT 'each transfer leaves the balance it says', s.account_id || '/' || s.stripe,
        'transfer ' || s.transfer_id || ': it had ' || s.balance_before || ', changed by '
        || s.change || ', but ' || coalesce(s.balance::text, 'nothing') || ' is written', 0
   FROM step s WHERE s.balance IS DISTINCT FROM s.balance_before + s.change
  ORDER BY s.account_id, s.stripe, s.place LIMIT %(most)s)
"""

# With what waits to be counted: the other side of it stands in a balance already.
_TRIAL_BALANCE = """
SELECT 'the books are even in each currency', n.currency::text,
       'debits exceed credits by ' || sum(n.net), 0
  FROM (SELECT b.currency, b.direction * b.posted AS net FROM ledger_balance b
         UNION ALL
        SELECT b.currency, -w.amount_minor
          FROM ledger_deferredcredit w
          JOIN ledger_balance b ON b.account_id = w.account_id AND b.stripe = 0) n
 GROUP BY n.currency HAVING sum(n.net) <> 0
 ORDER BY 2 LIMIT %(most)s
"""
_TRIAL_BALANCE_OF_ACCOUNTS = """
SELECT 'the books are even in each currency', a.currency::text,
       'debits exceed credits by ' || sum(n.net), 0
  FROM (SELECT b.account_id, CASE a.normal_side WHEN 'debit' THEN b.posted
                             ELSE -b.posted END AS net
          FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
         UNION ALL
        SELECT w.account_id, -w.amount_minor FROM ledger_deferredcredit w) n
  JOIN ledger_account a ON a.id = n.account_id
 GROUP BY a.currency HAVING sum(n.net) <> 0
 ORDER BY 2 LIMIT %(most)s
"""

# The open holds have an index of their own, and the balances are few beside the transfers.
_HELD = """
(SELECT 'what is held is the sum of the open holds',
        coalesce(b.account_id, h.account_id) || '/' || coalesce(b.stripe, 0),
        'held ' || coalesce(b.held, 0) || ', open holds give ' || coalesce(h.held, 0), 0
   FROM (SELECT account_id, stripe, held FROM ledger_balance WHERE held <> 0) b
   FULL JOIN (SELECT account_id, sum(amount_minor - captured_minor - released_minor) AS held
                FROM ledger_hold WHERE state = 'open' GROUP BY account_id) h
     ON h.account_id = b.account_id AND b.stripe = 0
  WHERE coalesce(b.held, 0) <> coalesce(h.held, 0)
  ORDER BY 2 LIMIT %(most)s)
UNION ALL
(SELECT 'nothing is below its floor', account_id || '/' || stripe,
        'posted ' || posted || ', held ' || held || ', floor ' || floor, 0
   FROM ledger_balance WHERE held < 0 OR posted - held < floor
  ORDER BY 2 LIMIT %(most)s)
"""

# A line is as its last entry left it, and the entry is found by index.
_CREDIT_LINES = """
(SELECT 'what is used and held stays within the limit', l.id::text,
        'used ' || l.used_minor || ', held ' || l.held_minor || ', limit ' || l.limit_minor
        || ', grandfathered ' || l.grandfathered_minor, 0
   FROM ledger_creditline l
  WHERE l.used_minor < 0 OR l.held_minor < 0
     OR l.used_minor + l.held_minor > greatest(l.limit_minor, l.grandfathered_minor)
        AND l.limit_minor IS NOT NULL
  ORDER BY l.id LIMIT %(most)s)
UNION ALL
(SELECT 'a credit line is as its last entry left it', l.id::text,
        'used ' || l.used_minor || ', held ' || l.held_minor || ' at version ' || l.version
        || '; the entry ' || coalesce('says used ' || e.used_minor || ', held ' || e.held_minor,
                                      'is missing'), 0
   FROM ledger_creditline l
   LEFT JOIN ledger_creditlineentry e ON e.line_id = l.id AND e.version = l.version
  WHERE (l.used_minor, l.held_minor, l.limit_minor, l.grandfathered_minor)
        IS DISTINCT FROM (e.used_minor, e.held_minor, e.limit_minor, e.grandfathered_minor)
    AND (l.version > 0 OR l.used_minor <> 0 OR l.held_minor <> 0)
  ORDER BY l.id LIMIT %(most)s)
"""


def _reading(statement: str) -> Reading:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"most": MOST_FINDINGS})
        rows = cursor.fetchall()
    return Reading(
        findings=[
            Finding(rule=rule, subject=subject, detail=detail)
            for rule, subject, detail, _ in rows
            if rule
        ],
        rows=sum(number for *_, number in rows),
    )


def balances(*, since: Watermark | None) -> Reading:
    """Whether each balance is what its transfers say; writes down up to where it is."""
    return _reading(f"WITH {_ALL if since is None else _MOVED} {_BALANCES}")


def trial_balance(*, since: Watermark | None) -> Reading:
    """Whether debits equal credits, in each currency. It reads the balances, never a transfer."""
    return _reading(_TRIAL_BALANCE_OF_ACCOUNTS if since is None else _TRIAL_BALANCE)


def held(*, since: Watermark | None) -> Reading:
    """Whether what is held is the sum of the open holds, and above every floor."""
    return _reading(_HELD)


def credit_lines(*, since: Watermark | None) -> Reading:
    """Whether every credit line is within its limit and as its last entry left it."""
    return _reading(_CREDIT_LINES)


def register_invariants() -> None:
    """Tell the watch what the books promise."""
    for name, title, check in (
        ("trial_balance", "Debits equal credits in each currency.", trial_balance),
        (
            "balances",
            "Every balance is what its transfers say, version by version without a gap.",
            balances,
        ),
        ("held", "What is held is the sum of the open holds, and goes below no floor.", held),
        (
            "credit_lines",
            "What is used and held of a credit line stays within its limit.",
            credit_lines,
        ),
    ):
        register(Invariant(name=f"ledger.{name}", title=title, concerns=CONCERNS, check=check))
    register(
        chain_invariant(
            TRANSFERS, title="Every sealed transfer is what was sealed.", concerns=CONCERNS
        )
    )
    register(
        chain_invariant(
            JOURNAL_METADATA,
            title="What was kept with a journal is what was sealed.",
            concerns="records",
        )
    )
