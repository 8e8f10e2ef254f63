"""What accounts held as of a day, as known at an instant.

Each question is one SQL statement, so that a settlement beside it changes nothing. Of a balance
with many transfers it reads: one snapshot or one day's closing, the sums of what was displaced
beyond it, and the transfers of one block. Of others, their transfers. What waits to be counted is
part of the present; of what was known at a settled instant, all is counted.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from . import sizes
from .instants import Known, known

# The present of all days: what balances count, and what waits to be counted.
_BALANCES = """
SELECT account_id, sum(amount)::numeric(38) FROM (
    SELECT b.account_id, b.posted AS amount
      FROM ledger_balance b WHERE b.account_id = ANY (%(accounts)s::uuid[])
     UNION ALL
    SELECT b.account_id, -b.direction * w.amount_minor
      FROM ledger_balance b
      JOIN ledger_deferredcredit w ON w.account_id = b.account_id
     WHERE b.account_id = ANY (%(accounts)s::uuid[]) AND b.stripe = 0 AND %(waiting)s
) AS part
GROUP BY account_id
"""
# Without `known_at`: the day's closing, as far as settled, and what is not settled yet.
_NOW = """
WITH place AS MATERIALIZED (
    SELECT b.account_id, b.stripe, b.direction, b.version,
           CASE WHEN coalesce(p.version, 0) < %(deep)s THEN 0 ELSE p.version END AS low
      FROM ledger_balance b
      LEFT JOIN ledger_settledposition p ON p.account_id = b.account_id AND p.stripe = b.stripe
     WHERE b.account_id = ANY (%(accounts)s::uuid[])
)
SELECT account_id, sum(amount)::numeric(38) FROM (
    SELECT p.account_id, (SELECT d.closing FROM ledger_balanceday d
                           WHERE d.account_id = p.account_id AND d.stripe = p.stripe
                             AND d.effective_on <= %(as_of)s
                           ORDER BY d.effective_on DESC LIMIT 1) AS amount
      FROM place p WHERE p.low > 0
     UNION ALL
    SELECT p.account_id, p.direction * t.amount_minor
      FROM place p
     CROSS JOIN LATERAL (
           SELECT t.amount_minor FROM ledger_transfer t
            WHERE t.debit_account_id = p.account_id AND t.debit_stripe = p.stripe
              AND t.debit_version > p.low AND t.effective_on <= %(as_of)s OFFSET 0) AS t
     UNION ALL
    SELECT p.account_id, -p.direction * t.amount_minor
      FROM place p
     CROSS JOIN LATERAL (
           SELECT t.amount_minor FROM ledger_creditside t
            WHERE t.account_id = p.account_id AND t.stripe = p.stripe
              AND t.version > p.low AND t.effective_on <= %(as_of)s OFFSET 0) AS t
     UNION ALL
    SELECT p.account_id, -p.direction * w.amount_minor
      FROM place p
      JOIN ledger_deferredcredit w ON w.account_id = p.account_id AND p.stripe = 0
     CROSS JOIN LATERAL (
           SELECT FROM ledger_transfer t
            WHERE t.id = w.transfer_id AND t.effective_on <= %(as_of)s OFFSET 0) AS t
     WHERE %(waiting)s
) AS part
GROUP BY account_id
"""

# With it: between the snapshots before and after the instant, transfers are looked at one by one.
PLACES = """
place AS MATERIALIZED (
    SELECT b.account_id, b.stripe, b.direction, p.version >= %(deep)s AS is_deep,
           coalesce(lower.version, 0) AS low, coalesce(lower.posted, 0) AS posted,
           coalesce(upper.version, p.version) AS high
      FROM ledger_balance b
      JOIN ledger_settledposition p ON p.account_id = b.account_id AND p.stripe = b.stripe
      LEFT JOIN LATERAL (
           SELECT s.version, s.posted FROM ledger_balancesnapshot s
            WHERE s.account_id = b.account_id AND s.stripe = b.stripe AND s.recorded_at <= %(at)s
            ORDER BY s.recorded_at DESC, s.version DESC LIMIT 1) AS lower ON true
      LEFT JOIN LATERAL (
           SELECT s.version FROM ledger_balancesnapshot s
            WHERE s.account_id = b.account_id AND s.stripe = b.stripe AND s.recorded_at > %(at)s
            ORDER BY s.recorded_at, s.version LIMIT 1) AS upper ON true
     WHERE b.account_id = ANY (%(accounts)s::uuid[])
),
-- Which of them were known is asked only where `posted_at` alone does not answer it.
between AS MATERIALIZED (
    SELECT p.account_id, p.stripe, p.is_deep, p.direction * t.amount_minor AS change,
           t.effective_on, coalesce(l.recorded_at, t.posted_at) <= %(at)s AS is_known
      FROM place p
     CROSS JOIN LATERAL (
           SELECT t.id, t.amount_minor, t.effective_on, t.posted_at FROM ledger_transfer t
            WHERE t.debit_account_id = p.account_id AND t.debit_stripe = p.stripe
              AND t.debit_version > p.low AND t.debit_version <= p.high OFFSET 0) AS t
      LEFT JOIN ledger_latearrival l ON l.transfer_id = t.id
     UNION ALL
    SELECT p.account_id, p.stripe, p.is_deep, -p.direction * t.amount_minor,
           t.effective_on, coalesce(l.recorded_at, t.posted_at) <= %(at)s
      FROM place p
     CROSS JOIN LATERAL (
           SELECT t.id, t.amount_minor, t.effective_on, t.posted_at FROM ledger_creditside t
            WHERE t.account_id = p.account_id AND t.stripe = p.stripe
              AND t.version > p.low AND t.version <= p.high OFFSET 0) AS t
      LEFT JOIN ledger_latearrival l ON l.transfer_id = t.id
)
"""
# Forwards: all that was known, less what had been posted early for a day after `as_of`.
_FORWARDS = f"""
WITH {PLACES}
SELECT account_id, sum(amount)::numeric(38) FROM (
    SELECT account_id, posted AS amount FROM place
     UNION ALL
    SELECT p.account_id, -d.early
      FROM place p
      JOIN ledger_balancedisplacement d
        ON d.account_id = p.account_id AND d.stripe = p.stripe AND d.after_version < p.low
       AND d.effective_on > %(as_of)s
     WHERE %(as_of)s < 'infinity'::date
     UNION ALL
    SELECT account_id, change FROM between WHERE is_known AND effective_on <= %(as_of)s
) AS part
GROUP BY account_id
"""  # noqa: S608  (the texts stand in this file)
# Backwards: the day's closing as it is settled, less what was posted late and not known yet.
_BACKWARDS = f"""
WITH {PLACES}
SELECT account_id, sum(amount)::numeric(38) FROM (
    SELECT p.account_id, (SELECT d.closing FROM ledger_balanceday d
                           WHERE d.account_id = p.account_id AND d.stripe = p.stripe
                             AND d.effective_on <= %(as_of)s
                           ORDER BY d.effective_on DESC LIMIT 1) AS amount
      FROM place p WHERE p.is_deep
     UNION ALL
    SELECT p.account_id, -d.late
      FROM place p
      JOIN ledger_balancedisplacement d
        ON d.account_id = p.account_id AND d.stripe = p.stripe AND d.after_version >= p.high
       AND d.effective_on <= %(as_of)s
     WHERE p.is_deep
     UNION ALL
    SELECT account_id, CASE WHEN is_deep THEN -change ELSE change END
      FROM between WHERE is_known <> is_deep AND effective_on <= %(as_of)s
) AS part
GROUP BY account_id
"""  # noqa: S608  (the texts stand in this file)


def balances_at(
    *,
    account_ids: Iterable[UUID],
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> dict[UUID, int]:
    """What each account held at the end of `as_of`, as it was known at `known_at`.

    In minor units, positive on the account's normal side; an account that had no transfers is left
    out or zero. Without a day, whenever they take effect; without an instant, as it is known now.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    accounts = list(account_ids)
    moment = None if known_at is None else known(at=known_at)
    return sums(accounts=accounts, as_of=as_of, moment=moment)


def sums(
    *, accounts: list[UUID], as_of: date | None, moment: Known | None, waiting: bool = True
) -> dict[UUID, int]:
    """The same, for an instant that is known to be settled; or without what waits to be counted."""
    if moment is None and as_of is None:
        statement = _BALANCES
    elif moment is None:
        statement = _NOW
    else:
        statement = _FORWARDS if moment.is_before_all_of(as_of) else _BACKWARDS
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "accounts": accounts,
                "as_of": day_text(as_of),
                "at": None if moment is None else moment.at,
                "deep": sizes.DEEP,
                "waiting": waiting,
            },
        )
        return {account_id: int(total or 0) for account_id, total in cursor.fetchall()}


def day_text(day: date | None) -> str:
    """A day as PostgreSQL reads it; none is after all days."""
    return "infinity" if day is None else day.isoformat()
