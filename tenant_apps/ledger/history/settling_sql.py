"""The two SQL statements of a settlement.

`MOVED` says which balances have versions that are not settled. `FOLD` reads exactly those versions
and writes every snapshot from them, so it need not run in the same snapshot of the database: what
the first statement saw was committed, both sides of each transfer.

The planner cannot know how much has moved. So tables are always looked up row by row, by LATERAL
and subqueries, and what was read is joined by hashing and sorting alone (`PLAN`): right for a
handful of rows and for millions.
"""

_PLANNING = {"enable_seqscan": "off", "enable_nestloop": "off", "jit": "off", "work_mem": "'64MB'"}
PLAN = "; ".join(f"SET LOCAL {name} = {value}" for name, value in _PLANNING.items())
UNPLAN = "; ".join(f"SET LOCAL {name} TO DEFAULT" for name in _PLANNING)

MOVED = """
SELECT b.account_id, b.stripe, coalesce(p.version, 0), b.version
  FROM ledger_balance b
  LEFT JOIN ledger_settledposition p ON p.account_id = b.account_id AND p.stripe = b.stripe
 WHERE b.version > coalesce(p.version, 0)
"""

# The same for credit lines, whose entries have versions too. They have no snapshots.
MOVED_CREDIT = """
SELECT c.id, coalesce(p.version, 0), c.version
  FROM ledger_creditline c LEFT JOIN ledger_settledcreditline p ON p.line_id = c.id
 WHERE c.version > coalesce(p.version, 0)
"""
FOLD_CREDIT = """
WITH moved AS MATERIALIZED (
    SELECT * FROM unnest(%(lines)s::uuid[], %(settled)s::bigint[], %(versions)s::bigint[])
        AS m(line_id, settled, version)
),
late AS (
    INSERT INTO ledger_latearrival (transfer_id, recorded_at)
    SELECT e.id, least(greatest(e.recorded_at, %(since)s), %(until)s)
      FROM moved m
     CROSS JOIN LATERAL (
           SELECT e.id, e.recorded_at FROM ledger_creditlineentry e
            WHERE e.line_id = m.line_id AND e.version > m.settled AND e.version <= m.version
           OFFSET 0) AS e
     WHERE e.recorded_at < %(since)s OR e.recorded_at > %(until)s
)
INSERT INTO ledger_settledcreditline (line_id, version) SELECT line_id, version FROM moved
ON CONFLICT (line_id) DO UPDATE SET version = excluded.version
"""

# `days`: rows by effective day of a holder (a balance, or a line of the chart in a currency), with
# the closings of all later days moved. A day's own change stands beside its closing, so that a
# backdated transfer costs one pass over the days after it.
_DAYS = """
{name}_first AS (
    SELECT {keys}, min(effective_on) AS first FROM {name}_new GROUP BY {keys}
),
{name}_base AS (
    SELECT f.*, coalesce((
               SELECT d.closing FROM {table} d
                WHERE {same_as_first} AND d.effective_on < f.first
                ORDER BY d.effective_on DESC LIMIT 1), 0) AS base
      FROM {name}_first f
),
{name}_all AS (
    SELECT {keys}, effective_on, sum(change) AS change{sum_more}
      FROM (SELECT {keys}, effective_on, change{more} FROM {name}_new
             UNION ALL
            SELECT {d_keys}, d.effective_on, d.change{d_more}
              FROM {name}_first f
             CROSS JOIN LATERAL (
                   SELECT * FROM {table} d
                    WHERE {same_as_first} AND d.effective_on >= f.first OFFSET 0) AS d) AS either
     GROUP BY {keys}, effective_on
),
{name} AS (
    INSERT INTO {table} ({keys}, effective_on, change, closing{more})
    SELECT {s_keys}, s.effective_on, s.change,
           b.base + sum(s.change) OVER (PARTITION BY {s_keys} ORDER BY s.effective_on){s_more}
      FROM {name}_all s JOIN {name}_base b USING ({keys})
    ON CONFLICT ({keys}, effective_on) DO UPDATE
       SET change = excluded.change, closing = excluded.closing{set_more}
)"""


def _days(*, name: str, table: str, keys: tuple[str, ...], more: dict[str, str]) -> str:
    def listed(prefix: str, names: tuple[str, ...]) -> str:
        return ", ".join(f"{prefix}{key}" for key in names)

    extra = "".join(f", {column}" for column in more)
    return _DAYS.format(
        name=name,
        table=table,
        keys=listed("", keys),
        d_keys=listed("d.", keys),
        s_keys=listed("s.", keys),
        same_as_first=" AND ".join(f"d.{key} = f.{key}" for key in keys),
        more=extra,
        d_more="".join(f", d.{column}" for column in more),
        s_more="".join(f", s.{column}" for column in more),
        sum_more="".join(f", {how}({column}) AS {column}" for column, how in more.items()),
        set_more="".join(f", {column} = excluded.{column}" for column in more),
    )


_BALANCE_DAYS = _days(
    name="balance_days",
    table="ledger_balanceday",
    keys=("account_id", "stripe"),
    more={"lines": "sum", "first_version": "min", "last_version": "max"},
)
_BOOK_DAYS = _days(name="book_days", table="ledger_bookday", keys=("line_id", "currency"), more={})

# The transfers that are seen for the first time, found by their debit sides.
_FRESH = """
moved AS MATERIALIZED (
    SELECT m.account_id, m.stripe, m.settled, m.version, b.direction, b.currency,
           (SELECT a.parent_id FROM ledger_account a WHERE a.id = m.account_id) AS line_id
      FROM unnest(%(accounts)s::uuid[], %(stripes)s::smallint[], %(settled)s::bigint[],
                  %(versions)s::bigint[]) AS m(account_id, stripe, settled, version)
     CROSS JOIN LATERAL (
           SELECT b.direction, b.currency FROM ledger_balance b
            WHERE b.account_id = m.account_id AND b.stripe = m.stripe OFFSET 0) AS b
),
fresh AS (
    SELECT t.*, least(greatest(t.posted_at, %(since)s), %(until)s) AS recorded_at
      FROM moved m
     CROSS JOIN LATERAL (
           SELECT * FROM ledger_transfer t
            WHERE t.debit_account_id = m.account_id AND t.debit_stripe = m.stripe
              AND t.debit_version > m.settled AND t.debit_version <= m.version OFFSET 0) AS t
),
known AS MATERIALIZED (
    SELECT f.*,
           (%(count)s + row_number() OVER (ORDER BY f.recorded_at, f.id) - 1) / %(segment)s
               AS segment,
           ((f.recorded_at AT TIME ZONE 'UTC') + make_interval(mins => %(offset)s))::date
               AS recorded_on
      FROM fresh f
),
side AS MATERIALIZED (
    SELECT m.account_id, m.stripe, m.line_id, m.currency, k.debit_version AS version,
           k.debit_balance AS balance, m.direction * k.amount_minor AS change,
           k.amount_minor AS net, k.effective_on, k.recorded_at, k.recorded_on, k.segment
      FROM known k
      JOIN moved m ON m.account_id = k.debit_account_id AND m.stripe = k.debit_stripe
     UNION ALL
    SELECT m.account_id, m.stripe, m.line_id, m.currency, k.credit_version,
           k.credit_balance, -m.direction * k.amount_minor,
           -k.amount_minor, k.effective_on, k.recorded_at, k.recorded_on, k.segment
      FROM known k
      JOIN moved m ON m.account_id = k.credit_account_id AND m.stripe = k.credit_stripe
),
late AS (
    INSERT INTO ledger_latearrival (transfer_id, recorded_at)
    SELECT id, recorded_at FROM known WHERE recorded_at <> posted_at
),
segments AS (
    INSERT INTO ledger_recordedsegment AS r (number, recorded_from, recorded_until, transfer_ids)
    SELECT segment, min(recorded_at), max(recorded_at), array_agg(id ORDER BY recorded_at, id)
      FROM known GROUP BY segment
    ON CONFLICT (number) DO UPDATE
       SET recorded_until = excluded.recorded_until,
           transfer_ids = r.transfer_ids || excluded.transfer_ids
),
positions AS (
    INSERT INTO ledger_settledposition (account_id, stripe, version)
    SELECT account_id, stripe, version FROM moved
    ON CONFLICT (account_id, stripe) DO UPDATE SET version = excluded.version
)"""

# Balances with many transfers. One that has just become so is read from its beginning.
_DEEP = """
deep_balance AS MATERIALIZED (
    SELECT m.*, CASE WHEN m.settled < %(deep)s THEN m.settled ELSE 0 END AS unread,
           coalesce((SELECT s.version FROM ledger_balancesnapshot s
                      WHERE s.account_id = m.account_id AND s.stripe = m.stripe
                      ORDER BY s.block DESC LIMIT 1), 0) AS last_snapshot
      FROM moved m WHERE m.version >= %(deep)s
),
older AS (
    SELECT d.account_id, d.stripe, t.debit_version AS version, t.debit_balance AS balance,
           d.direction * t.amount_minor AS change, t.effective_on,
           coalesce((SELECT l.recorded_at FROM ledger_latearrival l WHERE l.transfer_id = t.id),
                    t.posted_at) AS recorded_at
      FROM deep_balance d
     CROSS JOIN LATERAL (
           SELECT * FROM ledger_transfer t
            WHERE t.debit_account_id = d.account_id AND t.debit_stripe = d.stripe
              AND t.debit_version <= d.unread OFFSET 0) AS t
     UNION ALL
    SELECT d.account_id, d.stripe, t.credit_version, t.credit_balance,
           -d.direction * t.amount_minor, t.effective_on,
           coalesce((SELECT l.recorded_at FROM ledger_latearrival l WHERE l.transfer_id = t.id),
                    t.posted_at)
      FROM deep_balance d
     CROSS JOIN LATERAL (
           SELECT * FROM ledger_transfer t
            WHERE t.credit_account_id = d.account_id AND t.credit_stripe = d.stripe
              AND t.credit_version <= d.unread OFFSET 0) AS t
),
deep AS MATERIALIZED (
    SELECT s.account_id, s.stripe, s.version, s.balance, s.change, s.effective_on, s.recorded_at,
           s.recorded_on
      FROM side s JOIN deep_balance d ON d.account_id = s.account_id AND d.stripe = s.stripe
     UNION ALL
    SELECT o.*, ((o.recorded_at AT TIME ZONE 'UTC') + make_interval(mins => %(offset)s))::date
      FROM older o
),
-- A snapshot parts what was known before from what was known after: the first version of each
-- block where both sides of the cut are in order.
stepped AS (
    SELECT d.*, d.version / %(block)s AS block,
           max(d.recorded_at) OVER (
               PARTITION BY d.account_id, d.stripe ORDER BY d.version
               ROWS UNBOUNDED PRECEDING) AS known_so_far,
           min(d.recorded_at) OVER (
               PARTITION BY d.account_id, d.stripe ORDER BY d.version DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_from_here
      FROM deep d
),
marks AS MATERIALIZED (
    SELECT DISTINCT ON (s.account_id, s.stripe, s.block)
           s.account_id, s.stripe, s.block, s.version, s.known_so_far AS recorded_at,
           s.balance AS posted
      FROM stepped s JOIN deep_balance d ON d.account_id = s.account_id AND d.stripe = s.stripe
     WHERE s.block > d.last_snapshot / %(block)s
       AND (s.known_from_here IS NULL OR s.known_so_far <= s.known_from_here)
     ORDER BY s.account_id, s.stripe, s.block, s.version
),
snapshots AS (
    INSERT INTO ledger_balancesnapshot (account_id, stripe, block, version, recorded_at, posted)
    SELECT account_id, stripe, block, version, recorded_at, posted FROM marks
),
placed AS (
    SELECT s.*, greatest(b.last_snapshot, max(m.version) OVER (
               PARTITION BY s.account_id, s.stripe ORDER BY s.version
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS after_version
      FROM stepped s
      JOIN deep_balance b ON b.account_id = s.account_id AND b.stripe = s.stripe
      LEFT JOIN marks m
        ON m.account_id = s.account_id AND m.stripe = s.stripe AND m.version = s.version
),
displacements AS (
    INSERT INTO ledger_balancedisplacement AS k (
        account_id, stripe, after_version, effective_on, late, early, versions)
    SELECT account_id, stripe, after_version, effective_on,
           coalesce(sum(change) FILTER (WHERE effective_on < recorded_on), 0),
           coalesce(sum(change) FILTER (WHERE effective_on > recorded_on), 0),
           array_agg(version ORDER BY version)
      FROM placed WHERE effective_on <> recorded_on
     GROUP BY account_id, stripe, after_version, effective_on
    ON CONFLICT (account_id, stripe, after_version, effective_on) DO UPDATE
       SET late = k.late + excluded.late, early = k.early + excluded.early,
           versions = k.versions || excluded.versions
),
balance_days_new AS MATERIALIZED (
    SELECT account_id, stripe, effective_on, sum(change) AS change, count(*) AS lines,
           min(version) FILTER (WHERE effective_on = recorded_on) AS first_version,
           max(version) FILTER (WHERE effective_on = recorded_on) AS last_version
      FROM deep GROUP BY account_id, stripe, effective_on
)"""

# The lines of the chart, debit positive.
_BOOKS = """
book_lines AS (
    INSERT INTO ledger_bookline (line_id, currency)
    SELECT DISTINCT line_id, currency FROM moved
    ON CONFLICT DO NOTHING
),
book_new AS MATERIALIZED (
    SELECT line_id, currency, segment, sum(net) AS change FROM side
     GROUP BY line_id, currency, segment
),
book_snapshots AS (
    INSERT INTO ledger_booksnapshot (line_id, currency, segment, closing)
    SELECT n.line_id, n.currency, n.segment,
           coalesce((SELECT s.closing FROM ledger_booksnapshot s
                      WHERE s.line_id = n.line_id AND s.currency = n.currency
                      ORDER BY s.segment DESC LIMIT 1), 0)
           + sum(n.change) OVER (PARTITION BY n.line_id, n.currency ORDER BY n.segment)
      FROM book_new n
    ON CONFLICT (line_id, currency, segment) DO UPDATE SET closing = excluded.closing
),
book_displacements AS (
    INSERT INTO ledger_bookdisplacement AS k (
        line_id, currency, segment, effective_on, late, early)
    SELECT line_id, currency, segment, effective_on,
           coalesce(sum(net) FILTER (WHERE effective_on < recorded_on), 0),
           coalesce(sum(net) FILTER (WHERE effective_on > recorded_on), 0)
      FROM side WHERE effective_on <> recorded_on
     GROUP BY line_id, currency, segment, effective_on
    ON CONFLICT (line_id, currency, segment, effective_on) DO UPDATE
       SET late = k.late + excluded.late, early = k.early + excluded.early
),
book_days_new AS MATERIALIZED (
    SELECT line_id, currency, effective_on, sum(net) AS change
      FROM side GROUP BY line_id, currency, effective_on
)"""

FOLD = f"""
WITH {_FRESH},
{_DEEP},
{_BALANCE_DAYS.strip()},
{_BOOKS.strip()},
{_BOOK_DAYS.strip()}
SELECT count(*) FROM known
"""  # noqa: S608  (the texts stand in this file)
