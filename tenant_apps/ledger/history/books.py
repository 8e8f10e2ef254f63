"""What every line of the chart held as of a day, as known at an instant: one SQL statement each."""

from datetime import date, datetime

from django.db import connection

from .balances import day_text
from .instants import known

_NOW = """
SELECT a.code, part.currency, sum(part.net)::numeric(38) FROM (
    SELECT l.line_id, l.currency,
           (SELECT d.closing FROM ledger_bookday d
             WHERE d.line_id = l.line_id AND d.currency = l.currency
               AND d.effective_on <= %(as_of)s
             ORDER BY d.effective_on DESC LIMIT 1) AS net
      FROM ledger_bookline l
     UNION ALL
    SELECT tail.line_id, tail.currency, tail.net FROM (
        SELECT a.parent_id AS line_id, b.currency, m.net
          FROM ledger_balance b
          LEFT JOIN ledger_settledposition p
            ON p.account_id = b.account_id AND p.stripe = b.stripe
          JOIN ledger_account a ON a.id = b.account_id
         CROSS JOIN LATERAL (
               (SELECT t.amount_minor AS net FROM ledger_transfer t
                 WHERE t.debit_account_id = b.account_id AND t.debit_stripe = b.stripe
                   AND t.debit_version > coalesce(p.version, 0)
                   AND t.effective_on <= %(as_of)s OFFSET 0)
                UNION ALL
               (SELECT -t.amount_minor FROM ledger_creditside t
                 WHERE t.account_id = b.account_id AND t.stripe = b.stripe
                   AND t.version > coalesce(p.version, 0)
                   AND t.effective_on <= %(as_of)s OFFSET 0)) AS m
         WHERE b.version > coalesce(p.version, 0)) AS tail
     UNION ALL
    SELECT a.parent_id, a.currency, -w.amount_minor
      FROM ledger_deferredcredit w
      JOIN ledger_account a ON a.id = w.account_id
     CROSS JOIN LATERAL (
           SELECT FROM ledger_transfer t
            WHERE t.id = w.transfer_id AND t.effective_on <= %(as_of)s OFFSET 0) AS t
) AS part
JOIN ledger_account a ON a.id = part.line_id
GROUP BY a.code, part.currency
"""
# The present of all days: what balances count, and what waits to be counted, at one moment.
_BALANCES = """
SELECT a.code, a.currency, sum(part.net)::numeric(38) FROM (
    SELECT b.account_id, b.direction * b.posted AS net FROM ledger_balance b
     UNION ALL
    SELECT w.account_id, -w.amount_minor FROM ledger_deferredcredit w
) AS part
JOIN ledger_account a ON a.id = part.account_id
GROUP BY a.code, a.currency
"""
# The segments that were wholly known, and the one that was known in part.
_SEGMENTS = """
cut AS MATERIALIZED (
    SELECT coalesce(whole.number, -1) AS whole, coalesce(part.number, whole.number, -1) AS until,
           part.transfer_ids
      FROM (SELECT) AS one
      LEFT JOIN LATERAL (
           SELECT s.number FROM ledger_recordedsegment s WHERE s.recorded_until <= %(at)s
            ORDER BY s.recorded_until DESC, s.number DESC LIMIT 1) AS whole ON true
      LEFT JOIN ledger_recordedsegment part
        ON part.number = coalesce(whole.number, -1) + 1 AND part.recorded_from <= %(at)s
),
between AS MATERIALIZED (
    SELECT t.debit_account_id, t.credit_account_id, t.amount_minor, t.currency, t.effective_on,
           coalesce(l.recorded_at, t.posted_at) <= %(at)s AS is_known
      FROM cut
     CROSS JOIN LATERAL unnest(cut.transfer_ids) AS i(id)
     CROSS JOIN LATERAL (SELECT * FROM ledger_transfer t WHERE t.id = i.id OFFSET 0) AS t
      LEFT JOIN ledger_latearrival l ON l.transfer_id = t.id
     WHERE t.effective_on <= %(as_of)s
),
change AS (
    SELECT a.parent_id AS line_id, b.currency, b.amount_minor AS net, b.is_known
      FROM between b JOIN ledger_account a ON a.id = b.debit_account_id
     UNION ALL
    SELECT a.parent_id, b.currency, -b.amount_minor, b.is_known
      FROM between b JOIN ledger_account a ON a.id = b.credit_account_id
)
"""
_FORWARDS = f"""
WITH {_SEGMENTS}
SELECT a.code, part.currency, sum(part.net)::numeric(38) FROM (
    SELECT l.line_id, l.currency,
           (SELECT s.closing FROM ledger_booksnapshot s
             WHERE s.line_id = l.line_id AND s.currency = l.currency AND s.segment <= cut.whole
             ORDER BY s.segment DESC LIMIT 1) AS net
      FROM ledger_bookline l CROSS JOIN cut
     UNION ALL
    SELECT l.line_id, l.currency, -d.early
      FROM ledger_bookline l CROSS JOIN cut
      JOIN ledger_bookdisplacement d
        ON d.line_id = l.line_id AND d.currency = l.currency AND d.segment <= cut.whole
       AND d.effective_on > %(as_of)s
     WHERE %(as_of)s < 'infinity'::date
     UNION ALL
    SELECT line_id, currency, net FROM change WHERE is_known
) AS part
JOIN ledger_account a ON a.id = part.line_id
GROUP BY a.code, part.currency
"""  # noqa: S608  (the texts stand in this file)
_BACKWARDS = f"""
WITH {_SEGMENTS}
SELECT a.code, part.currency, sum(part.net)::numeric(38) FROM (
    SELECT l.line_id, l.currency,
           (SELECT d.closing FROM ledger_bookday d
             WHERE d.line_id = l.line_id AND d.currency = l.currency
               AND d.effective_on <= %(as_of)s
             ORDER BY d.effective_on DESC LIMIT 1) AS net
      FROM ledger_bookline l
     UNION ALL
    SELECT l.line_id, l.currency, -d.late
      FROM ledger_bookline l CROSS JOIN cut
      JOIN ledger_bookdisplacement d
        ON d.line_id = l.line_id AND d.currency = l.currency AND d.segment > cut.until
       AND d.effective_on <= %(as_of)s
     UNION ALL
    SELECT line_id, currency, -net FROM change WHERE NOT is_known
) AS part
JOIN ledger_account a ON a.id = part.line_id
GROUP BY a.code, part.currency
"""  # noqa: S608  (the texts stand in this file)


def line_sums_now() -> list[tuple[str, str, int]]:
    """Debit-positive sums by line of the chart (its code) and currency, of all days, now."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES)
        return [(code, currency, int(net)) for code, currency, net in cursor.fetchall()]


def line_sums(*, as_of: date | None, known_at: datetime | None) -> list[tuple[str, str, int]]:
    """Debit-positive sums by line of the chart (its code) and currency.

    Not for the present of all days: balances tell that.

    :raises InstantInFuture: `known_at` has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    moment = None if known_at is None else known(at=known_at)
    if moment is None:
        statement = _NOW
    else:
        statement = _FORWARDS if moment.is_before_all_of(as_of) else _BACKWARDS
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"as_of": day_text(as_of), "at": None if moment is None else moment.at}
        )
        return [(code, currency, int(net or 0)) for code, currency, net in cursor.fetchall()]
