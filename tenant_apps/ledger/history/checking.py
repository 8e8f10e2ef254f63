"""Recounts the snapshots from the transfers: what `verify_books` adds about the past."""

from . import sizes

# Every settled transfer as either account sees it, with when it became known and where it stands.
_RECOUNT = """
listed AS (
    SELECT i.id, s.number AS segment, s.recorded_from, s.recorded_until
      FROM ledger_recordedsegment s CROSS JOIN LATERAL unnest(s.transfer_ids) AS i(id)
),
known AS MATERIALIZED (
    SELECT t.id, t.debit_account_id, t.debit_stripe, t.debit_version, t.credit_account_id,
           t.credit_stripe, coalesce(t.credit_version, f.version) AS credit_version,
           t.amount_minor, t.currency, t.effective_on,
           coalesce(l.recorded_at, t.posted_at) AS recorded_at,
           ((coalesce(l.recorded_at, t.posted_at) AT TIME ZONE 'UTC')
            + make_interval(mins => (SELECT day_offset_minutes FROM ledger_settlement)))::date
               AS recorded_on
      FROM ledger_transfer t
      JOIN ledger_settledposition p
        ON p.account_id = t.debit_account_id AND p.stripe = t.debit_stripe
       AND t.debit_version <= p.version
      LEFT JOIN ledger_latearrival l ON l.transfer_id = t.id
      LEFT JOIN ledger_foldedcredit f ON f.transfer_id = t.id
),
settled_side AS MATERIALIZED (
    SELECT k.debit_account_id AS account_id, k.debit_stripe AS stripe, k.debit_version AS version,
           b.direction * k.amount_minor AS change, k.amount_minor AS net, a.parent_id AS line_id,
           k.currency, k.effective_on, k.recorded_at, k.recorded_on, i.segment
      FROM known k
      JOIN ledger_balance b ON b.account_id = k.debit_account_id AND b.stripe = k.debit_stripe
      JOIN ledger_account a ON a.id = k.debit_account_id
      LEFT JOIN listed i ON i.id = k.id
     UNION ALL
    SELECT k.credit_account_id, k.credit_stripe, k.credit_version, -b.direction * k.amount_minor,
           -k.amount_minor, a.parent_id, k.currency, k.effective_on, k.recorded_at, k.recorded_on,
           i.segment
      FROM known k
      JOIN ledger_balance b ON b.account_id = k.credit_account_id AND b.stripe = k.credit_stripe
      JOIN ledger_account a ON a.id = k.credit_account_id
      LEFT JOIN listed i ON i.id = k.id
),
deep_side AS MATERIALIZED (
    SELECT s.*, n.version AS snapshot,
           sum(s.change) OVER up AS posted, max(s.recorded_at) OVER up AS known_so_far,
           min(s.recorded_at) OVER (
               PARTITION BY s.account_id, s.stripe ORDER BY s.version DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_from_here,
           coalesce(max(n.version) OVER (
               PARTITION BY s.account_id, s.stripe ORDER BY s.version
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS after_version
      FROM settled_side s
      JOIN ledger_settledposition p
        ON p.account_id = s.account_id AND p.stripe = s.stripe AND p.version >= {deep}
      LEFT JOIN ledger_balancesnapshot n
        ON n.account_id = s.account_id AND n.stripe = s.stripe AND n.version = s.version
    WINDOW up AS (PARTITION BY s.account_id, s.stripe ORDER BY s.version ROWS UNBOUNDED PRECEDING)
)
"""

_DAYS = """
    SELECT coalesce({d_subject}, {r_subject}) || ' ' || coalesce(d.effective_on, r.effective_on),
           'kept ' || coalesce(d.change::text, 'nothing') || ', closing '
           || coalesce(d.closing::text, 'nothing') || '; the transfers give '
           || coalesce(r.change::text, 'nothing') || ', closing '
           || coalesce(r.closing::text, 'nothing')
      FROM {table} d
      FULL JOIN (
           SELECT {keys}, effective_on, sum({value}) AS change,
                  sum(sum({value})) OVER (PARTITION BY {keys} ORDER BY effective_on) AS closing
                  {more}
             FROM {source} GROUP BY {keys}, effective_on) AS r
        USING ({keys}, effective_on)
     WHERE d.change IS DISTINCT FROM r.change OR d.closing IS DISTINCT FROM r.closing {differ}
"""
_DISPLACEMENTS = """
    SELECT coalesce({d_subject}, {r_subject}) || ' ' || coalesce(d.effective_on, r.effective_on),
           'kept late ' || coalesce(d.late::text, 'nothing') || ', early '
           || coalesce(d.early::text, 'nothing') || '; the transfers give '
           || coalesce(r.late::text, 'nothing') || ' and ' || coalesce(r.early::text, 'nothing')
      FROM {table} d
      FULL JOIN (
           SELECT {keys}, effective_on,
                  coalesce(sum({value}) FILTER (WHERE effective_on < recorded_on), 0) AS late,
                  coalesce(sum({value}) FILTER (WHERE effective_on > recorded_on), 0) AS early
                  {more}
             FROM {source} WHERE effective_on <> recorded_on GROUP BY {keys}, effective_on) AS r
        USING ({keys}, effective_on)
     WHERE d.late IS DISTINCT FROM r.late OR d.early IS DISTINCT FROM r.early {differ}
"""
_BALANCE = {
    "d_subject": "d.account_id::text || '/' || d.stripe",
    "r_subject": "r.account_id::text || '/' || r.stripe",
    "value": "change",
    "source": "deep_side",
}
_BOOK = {
    "d_subject": "d.line_id::text || ' ' || d.currency",
    "r_subject": "r.line_id::text || ' ' || r.currency",
    "value": "net",
    "source": "settled_side",
}
CHECKS: dict[str, str] = {
    "what is settled was posted": """
        SELECT p.account_id || '/' || p.stripe,
               'settled up to version ' || p.version || ' of ' || coalesce(b.version, 0)
          FROM ledger_settledposition p
          LEFT JOIN ledger_balance b ON b.account_id = p.account_id AND b.stripe = p.stripe
         WHERE p.version > coalesce(b.version, 0)
    """,
    "each settled transfer has its place in time": """
        SELECT coalesce(i.id, k.id)::text,
               CASE WHEN k.id IS NULL THEN 'is listed, but not settled'
                    WHEN i.id IS NULL THEN 'is settled, but not listed'
                    ELSE 'became known at ' || k.recorded_at || ', outside of segment '
                         || i.segment END
          FROM listed i FULL JOIN known k ON k.id = i.id
         WHERE i.id IS NULL OR k.id IS NULL
            OR k.recorded_at NOT BETWEEN i.recorded_from AND i.recorded_until
         UNION ALL
        SELECT i.id::text, 'is listed ' || count(*) || ' times'
          FROM listed i GROUP BY i.id HAVING count(*) > 1
         UNION ALL
        SELECT 'segment ' || s.number, 'overlaps the one after it'
          FROM ledger_recordedsegment s
          JOIN ledger_recordedsegment n ON n.number = s.number + 1
         WHERE n.recorded_from < s.recorded_until
         UNION ALL
        SELECT 'segment ' || s.number, 'ends after all that is settled'
          FROM ledger_recordedsegment s
         WHERE s.recorded_until > (SELECT settled_until FROM ledger_settlement)
    """,
    "snapshots of balances equal their transfers": """
        SELECT n.account_id || '/' || n.stripe,
               'snapshot ' || n.posted || ' at version ' || n.version || ', transfers give '
               || coalesce(d.posted::text, 'nothing')
          FROM ledger_balancesnapshot n
          LEFT JOIN deep_side d
            ON d.account_id = n.account_id AND d.stripe = n.stripe AND d.snapshot = n.version
         WHERE d.posted IS DISTINCT FROM n.posted OR d.known_so_far > n.recorded_at
            OR d.known_from_here < n.recorded_at
    """,
    "days of balances equal their transfers": _DAYS.format(
        table="ledger_balanceday",
        keys="account_id, stripe",
        more=", count(*) AS lines,"
        " min(version) FILTER (WHERE effective_on = recorded_on) AS first_version,"
        " max(version) FILTER (WHERE effective_on = recorded_on) AS last_version",
        differ="OR (d.lines, d.first_version, d.last_version)"
        " IS DISTINCT FROM (r.lines, r.first_version, r.last_version)",
        **_BALANCE,
    ),
    "displacements of balances equal their transfers": _DISPLACEMENTS.format(
        table="ledger_balancedisplacement",
        keys="account_id, stripe, after_version",
        more=", array_agg(version ORDER BY version) AS versions",
        differ="OR d.versions IS DISTINCT FROM r.versions",
        **_BALANCE,
    ),
    "snapshots of the books equal their transfers": """
        SELECT coalesce(n.line_id, r.line_id) || ' ' || coalesce(n.currency, r.currency),
               'after segment ' || coalesce(n.segment, r.segment) || ' kept '
               || coalesce(n.closing::text, 'nothing') || ', transfers give '
               || coalesce(r.closing::text, 'nothing')
          FROM ledger_booksnapshot n
          FULL JOIN (
               SELECT line_id, currency, segment, sum(sum(net)) OVER (
                          PARTITION BY line_id, currency ORDER BY segment) AS closing
                 FROM settled_side WHERE segment IS NOT NULL
                GROUP BY line_id, currency, segment) AS r USING (line_id, currency, segment)
         WHERE n.closing IS DISTINCT FROM r.closing
    """,
    "days of the books equal their transfers": _DAYS.format(
        table="ledger_bookday", keys="line_id, currency", more="", differ="", **_BOOK
    ),
    "displacements of the books equal their transfers": _DISPLACEMENTS.format(
        table="ledger_bookdisplacement",
        keys="line_id, currency, segment",
        more="",
        differ="",
        **_BOOK,
    ),
}


def recount() -> str:
    """What the checks read, as common table expressions."""
    return _RECOUNT.format(deep=sizes.DEEP)
