"""The snapshots of the past are written by two functions, nobody else.

`ledger_lock_settlement` lets one settlement in at a time; `ledger_settle` writes every snapshot
from the versions that are new. Which those are it is told, for its caller looked before it took
the time; it refuses a list that is not whole: a transfer of which one side alone is listed.

The planner cannot know how much has moved. So tables are always looked up row by row, by LATERAL
and subqueries, and what was read is joined by hashing alone: right for a handful of rows and for
millions. The statement is made anew at each call: as a kept plan it would take more memory, in
every connection and for every organization, than it saves time.
"""

from django.db import migrations

# $1 accounts, $2 stripes, $3 versions, $4 since, $5 until, $6 day offset in minutes, $7 transfers
# so far, $8 deep, $9 block, $10 segment.
_FRESH = """
WITH moved AS MATERIALIZED (
    SELECT m.account_id, m.stripe, m.version, b.version AS present, b.direction, b.currency,
           coalesce((SELECT p.version FROM ledger_settledposition p
                      WHERE p.account_id = m.account_id AND p.stripe = m.stripe), 0) AS settled,
           (SELECT a.parent_id FROM ledger_account a WHERE a.id = m.account_id) AS line_id
      FROM unnest($1, $2, $3) AS m(account_id, stripe, version)
     CROSS JOIN LATERAL (
           SELECT b.direction, b.currency, b.version FROM ledger_balance b
            WHERE b.account_id = m.account_id AND b.stripe = m.stripe OFFSET 0) AS b
),
-- The transfers that are seen for the first time, found by their debit sides.
fresh AS (
    SELECT t.*, least(greatest(t.posted_at, $4), $5) AS recorded_at
      FROM moved m
     CROSS JOIN LATERAL (
           SELECT t.id, t.debit_account_id, t.debit_stripe, t.debit_version, t.debit_balance,
                  t.credit_account_id, t.credit_stripe, t.credit_version, t.credit_balance,
                  t.amount_minor, t.effective_on, t.posted_at
             FROM ledger_transfer t
            WHERE t.debit_account_id = m.account_id AND t.debit_stripe = m.stripe
              AND t.debit_version > m.settled AND t.debit_version <= m.version OFFSET 0) AS t
),
known AS MATERIALIZED (
    SELECT f.*,
           ($7 + row_number() OVER (ORDER BY f.recorded_at, f.id) - 1) / $10 AS segment,
           ((f.recorded_at AT TIME ZONE 'UTC') + make_interval(mins => $6))::date AS recorded_on
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
    SELECT m.*, CASE WHEN m.settled < $8 THEN m.settled ELSE 0 END AS unread,
           coalesce((SELECT s.version FROM ledger_balancesnapshot s
                      WHERE s.account_id = m.account_id AND s.stripe = m.stripe
                      ORDER BY s.block DESC LIMIT 1), 0) AS last_snapshot
      FROM moved m WHERE m.version >= $8
),
older AS (
    SELECT d.account_id, d.stripe, d.last_snapshot, t.debit_version AS version,
           t.debit_balance AS balance, d.direction * t.amount_minor AS change, t.effective_on,
           coalesce((SELECT l.recorded_at FROM ledger_latearrival l WHERE l.transfer_id = t.id),
                    t.posted_at) AS recorded_at
      FROM deep_balance d
     CROSS JOIN LATERAL (
           SELECT * FROM ledger_transfer t
            WHERE t.debit_account_id = d.account_id AND t.debit_stripe = d.stripe
              AND t.debit_version <= d.unread OFFSET 0) AS t
     UNION ALL
    SELECT d.account_id, d.stripe, d.last_snapshot, t.credit_version, t.credit_balance,
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
    SELECT s.account_id, s.stripe, d.last_snapshot, s.version, s.balance, s.change,
           s.effective_on, s.recorded_at, s.recorded_on
      FROM side s JOIN deep_balance d ON d.account_id = s.account_id AND d.stripe = s.stripe
     UNION ALL
    SELECT o.*, ((o.recorded_at AT TIME ZONE 'UTC') + make_interval(mins => $6))::date
      FROM older o
),
-- A snapshot parts what was known before from what was known after: the first version of each
-- block where both sides of the cut are in order.
stepped AS (
    SELECT d.*, d.version / $9 AS block,
           max(d.recorded_at) OVER (
               PARTITION BY d.account_id, d.stripe ORDER BY d.version
               ROWS UNBOUNDED PRECEDING) AS known_so_far,
           min(d.recorded_at) OVER (
               PARTITION BY d.account_id, d.stripe ORDER BY d.version DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS known_from_here
      FROM deep d
),
cut AS (
    SELECT s.*, s.block > s.last_snapshot / $9
                AND (s.known_from_here IS NULL OR s.known_so_far <= s.known_from_here) AS is_cut
      FROM stepped s
),
marked AS (
    SELECT c.*, c.is_cut AND NOT coalesce(bool_or(c.is_cut) OVER (
                    PARTITION BY c.account_id, c.stripe, c.block ORDER BY c.version
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS is_mark
      FROM cut c
),
placed AS MATERIALIZED (
    SELECT m.*, greatest(m.last_snapshot, max(m.version) FILTER (WHERE m.is_mark) OVER (
               PARTITION BY m.account_id, m.stripe ORDER BY m.version
               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS after_version
      FROM marked m
),
snapshots AS (
    INSERT INTO ledger_balancesnapshot (account_id, stripe, block, version, recorded_at, posted)
    SELECT account_id, stripe, block, version, known_so_far, balance FROM placed WHERE is_mark
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

# Rows by effective day of a holder, with the closings of all later days moved. A day's own change
# stands beside its closing, so that a backdated transfer costs one pass over the days after it.
_BALANCE_DAYS = """
balance_days_base AS (
    SELECT f.*, coalesce((
               SELECT d.closing FROM ledger_balanceday d
                WHERE d.account_id = f.account_id AND d.stripe = f.stripe
                  AND d.effective_on < f.first
                ORDER BY d.effective_on DESC LIMIT 1), 0) AS base
      FROM (SELECT account_id, stripe, min(effective_on) AS first
              FROM balance_days_new GROUP BY account_id, stripe) AS f
),
balance_days_all AS (
    SELECT account_id, stripe, effective_on, sum(change) AS change, sum(lines) AS lines,
           min(first_version) AS first_version, max(last_version) AS last_version
      FROM (SELECT * FROM balance_days_new
             UNION ALL
            SELECT d.account_id, d.stripe, d.effective_on, d.change, d.lines, d.first_version,
                   d.last_version
              FROM balance_days_base f
             CROSS JOIN LATERAL (
                   SELECT * FROM ledger_balanceday d
                    WHERE d.account_id = f.account_id AND d.stripe = f.stripe
                      AND d.effective_on >= f.first OFFSET 0) AS d) AS either
     GROUP BY account_id, stripe, effective_on
),
balance_days AS (
    INSERT INTO ledger_balanceday (
        account_id, stripe, effective_on, change, closing, lines, first_version, last_version)
    SELECT s.account_id, s.stripe, s.effective_on, s.change,
           b.base + sum(s.change) OVER (
               PARTITION BY s.account_id, s.stripe ORDER BY s.effective_on),
           s.lines, s.first_version, s.last_version
      FROM balance_days_all s JOIN balance_days_base b USING (account_id, stripe)
    ON CONFLICT (account_id, stripe, effective_on) DO UPDATE
       SET change = excluded.change, closing = excluded.closing, lines = excluded.lines,
           first_version = excluded.first_version, last_version = excluded.last_version
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
),
book_days_base AS (
    SELECT f.*, coalesce((
               SELECT d.closing FROM ledger_bookday d
                WHERE d.line_id = f.line_id AND d.currency = f.currency AND d.effective_on < f.first
                ORDER BY d.effective_on DESC LIMIT 1), 0) AS base
      FROM (SELECT line_id, currency, min(effective_on) AS first
              FROM book_days_new GROUP BY line_id, currency) AS f
),
book_days_all AS (
    SELECT line_id, currency, effective_on, sum(change) AS change
      FROM (SELECT * FROM book_days_new
             UNION ALL
            SELECT d.line_id, d.currency, d.effective_on, d.change
              FROM book_days_base f
             CROSS JOIN LATERAL (
                   SELECT * FROM ledger_bookday d
                    WHERE d.line_id = f.line_id AND d.currency = f.currency
                      AND d.effective_on >= f.first OFFSET 0) AS d) AS either
     GROUP BY line_id, currency, effective_on
),
book_days AS (
    INSERT INTO ledger_bookday (line_id, currency, effective_on, change, closing)
    SELECT s.line_id, s.currency, s.effective_on, s.change,
           b.base + sum(s.change) OVER (PARTITION BY s.line_id, s.currency ORDER BY s.effective_on)
      FROM book_days_all s JOIN book_days_base b USING (line_id, currency)
    ON CONFLICT (line_id, currency, effective_on) DO UPDATE
       SET change = excluded.change, closing = excluded.closing
)"""

_FOLD = f"""
{_FRESH},
{_DEEP},
{_BALANCE_DAYS.strip()},
{_BOOKS.strip()}
SELECT (SELECT count(*) FROM known), (SELECT count(*) FROM side), count(*), sum(version - settled)
  FROM moved WHERE version > settled AND version <= present
"""  # noqa: S608  (the texts stand in this file)

# Entries of credit lines have versions too, and no snapshots. $1 lines, $2 versions, $3 since,
# $4 until.
_FOLD_CREDIT = """
WITH moved AS MATERIALIZED (
    SELECT m.line_id, m.version, c.version AS present,
           coalesce((SELECT p.version FROM ledger_settledcreditline p
                      WHERE p.line_id = m.line_id), 0) AS settled
      FROM unnest($1, $2) AS m(line_id, version)
     CROSS JOIN LATERAL (
           SELECT c.version FROM ledger_creditline c WHERE c.id = m.line_id OFFSET 0) AS c
),
late AS (
    INSERT INTO ledger_latearrival (transfer_id, recorded_at)
    SELECT e.id, least(greatest(e.recorded_at, $3), $4)
      FROM moved m
     CROSS JOIN LATERAL (
           SELECT e.id, e.recorded_at FROM ledger_creditlineentry e
            WHERE e.line_id = m.line_id AND e.version > m.settled AND e.version <= m.version
           OFFSET 0) AS e
     WHERE e.recorded_at < $3 OR e.recorded_at > $4
),
positions AS (
    INSERT INTO ledger_settledcreditline (line_id, version) SELECT line_id, version FROM moved
    ON CONFLICT (line_id) DO UPDATE SET version = excluded.version
)
SELECT count(*) FROM moved m WHERE m.version > m.settled AND m.version <= m.present
"""

TABLES = (
    "ledger_settlement",
    "ledger_settledposition",
    "ledger_settledcreditline",
    "ledger_latearrival",
    "ledger_recordedsegment",
    "ledger_balancesnapshot",
    "ledger_balanceday",
    "ledger_balancedisplacement",
    "ledger_bookline",
    "ledger_booksnapshot",
    "ledger_bookday",
    "ledger_bookdisplacement",
)
_GUARDS = "".join(
    f"""
CREATE TRIGGER {table}_guard
    BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER {table}_truncate
    BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_write();"""
    for table in TABLES
)

CREATE = f"""
CREATE FUNCTION ledger_lock_settlement(p_day_offset smallint) RETURNS TABLE (until timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
-- Answers until when all is settled; no row where another settlement is under way.
DECLARE
    v_writer text;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    INSERT INTO ledger_settlement (id, day_offset_minutes, transfers) VALUES (1, p_day_offset, 0)
    ON CONFLICT (id) DO NOTHING;
    v_writer := set_config('ledger.writer', '', true);
    RETURN QUERY SELECT s.settled_until FROM ledger_settlement s
                  WHERE s.id = 1 FOR NO KEY UPDATE SKIP LOCKED;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_settlement(smallint) FROM PUBLIC;

CREATE FUNCTION ledger_settle(
    p_accounts uuid[], p_stripes smallint[], p_versions bigint[], p_lines uuid[],
    p_line_versions bigint[], p_until timestamptz, p_deep bigint, p_block bigint, p_segment bigint
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off
SET work_mem = '64MB' AS $body$
-- Answers how many transfers were seen for the first time.
DECLARE
    v_writer text;
    v_last ledger_settlement;
    v_since timestamptz;
    v_fresh bigint := 0;
    v_sides bigint := 0;
    v_moved bigint := 0;
    v_versions bigint := 0;
BEGIN
    SELECT * INTO STRICT v_last FROM ledger_settlement WHERE id = 1 FOR NO KEY UPDATE;
    IF p_until <= v_last.settled_until THEN
        RAISE EXCEPTION 'settled until % already', v_last.settled_until USING ERRCODE = '22023';
    END IF;
    v_since := coalesce(v_last.settled_until + interval '1 microsecond', '-infinity');
    v_writer := set_config('ledger.writer', 'on', true);
    IF cardinality(p_lines) > 0 THEN
        EXECUTE $sql${_FOLD_CREDIT}$sql$ INTO v_moved
          USING p_lines, p_line_versions, v_since, p_until;
    END IF;
    IF v_moved <> cardinality(p_lines) THEN
        RAISE EXCEPTION 'these are not the credit lines that moved' USING ERRCODE = '22023';
    END IF;
    v_moved := 0;
    IF cardinality(p_accounts) > 0 THEN
        EXECUTE $sql${_FOLD}$sql$ INTO v_fresh, v_sides, v_moved, v_versions
          USING p_accounts, p_stripes, p_versions, v_since, p_until,
                v_last.day_offset_minutes::integer, v_last.transfers, p_deep, p_block, p_segment;
    END IF;
    -- Each version is a side of a transfer, and each transfer has two.
    IF v_moved <> cardinality(p_accounts) OR v_versions <> v_sides OR v_sides <> 2 * v_fresh THEN
        RAISE EXCEPTION 'these are not the balances that moved' USING ERRCODE = '22023';
    END IF;
    UPDATE ledger_settlement SET settled_until = p_until, transfers = transfers + v_fresh
     WHERE id = 1;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_fresh;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_settle(
    uuid[], smallint[], bigint[], uuid[], bigint[], timestamptz, bigint, bigint, bigint
) FROM PUBLIC;
{_GUARDS}
"""  # noqa: S608  (the texts stand in this file)

DROP = (
    "".join(
        f"DROP TRIGGER {table}_truncate ON {table}; DROP TRIGGER {table}_guard ON {table};"
        for table in TABLES
    )
    + """
DROP FUNCTION ledger_settle(
    uuid[], smallint[], bigint[], uuid[], bigint[], timestamptz, bigint, bigint, bigint
);
DROP FUNCTION ledger_lock_settlement(smallint);
"""
)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0035_post_transfers")]
    operations = [migrations.RunSQL(CREATE, DROP)]
