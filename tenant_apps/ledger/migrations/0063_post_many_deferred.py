"""Many transfers, of which some are credited later: what waits is written in the same call.

The rows of an account that is only credited later are not locked. It is read in the statement that
changes the others, under the table lock that whoever closes it waits for.
"""

from importlib import import_module

from django.db import migrations

FORMER: str = import_module("tenant_apps.ledger.migrations.0035_post_transfers").CREATE
DROP_FORMER = """
DROP FUNCTION ledger_post_transfers(
    uuid[], bytea[], uuid[], smallint[], uuid[], smallint[], uuid[], smallint[], bigint[], text[],
    date[], text[], text[], text[], uuid[], uuid[], text[], uuid, timestamptz);
"""
CREATE = """
CREATE FUNCTION ledger_post_transfers(
    p_ids uuid[], p_request_hashes bytea[], p_journal_ids uuid[], p_legs smallint[],
    p_debit_accounts uuid[], p_debit_stripes smallint[],
    p_credit_accounts uuid[], p_credit_stripes smallint[],
    p_amounts bigint[], p_currencies text[], p_effective_on date[], p_kinds text[],
    p_rules text[], p_source_types text[], p_source_ids uuid[], p_reverses_ids uuid[],
    p_memos text[], p_actor_id uuid, p_posted_at timestamptz,
    p_deferred boolean[] DEFAULT NULL
) RETURNS TABLE (
    id uuid, debit_version bigint, debit_balance bigint,
    credit_version bigint, credit_balance bigint, replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
#variable_conflict use_column
DECLARE
    -- Whose credits are counted later.
    v_deferred boolean[] := coalesce(p_deferred, array_fill(false, ARRAY[cardinality(p_ids)]));
    v_fresh boolean[];
    v_strangers uuid[];
    v_day date;
    v_debit_versions bigint[];
    v_debit_balances bigint[];
    v_credit_versions bigint[];
    v_credit_balances bigint[];
    v_seen bigint;
    v_unusable boolean;
    v_much boolean;
    v_low uuid;
    v_written bigint;
    v_writer text;
    v_locked integer;
BEGIN
    IF cardinality(p_ids) NOT BETWEEN 1 AND 1000 THEN
        RAISE EXCEPTION 'a batch has 1 to 1,000 transfers' USING ERRCODE = 'KL007';
    END IF;
    -- Whoever closes a period waits for this lock, so what is read next about periods holds.
    LOCK TABLE ledger_balance IN ROW EXCLUSIVE MODE;
    IF true = ANY (v_deferred) THEN
        -- Whoever closes a line of the chart waits for this one.
        LOCK TABLE ledger_deferredcredit IN ROW EXCLUSIVE MODE;
    END IF;
    SELECT ledger_lock_rows(
               p_debit_accounts || array_agg(r.account), p_debit_stripes || array_agg(r.stripe))
      INTO v_locked
      FROM unnest(p_credit_accounts, p_credit_stripes, v_deferred)
           AS r(account, stripe, deferred)
     WHERE NOT r.deferred;

    SELECT array_agg(t.id IS NULL ORDER BY r.n),
           array_agg(t.id) FILTER (WHERE t.request_hash <> r.request_hash)
      INTO v_fresh, v_strangers
      FROM unnest(p_ids, p_request_hashes) WITH ORDINALITY AS r(id, request_hash, n)
      LEFT JOIN ledger_transfer t ON t.id = r.id;
    IF v_strangers IS NOT NULL THEN
        RAISE EXCEPTION 'this id belongs to another request'
            USING ERRCODE = 'KL002', DETAIL = v_strangers[1]::text;
    END IF;

    IF true = ANY (v_fresh) THEN
        SELECT r.effective_on INTO v_day
          FROM (SELECT DISTINCT u.effective_on FROM unnest(p_effective_on, v_fresh)
                    AS u(effective_on, fresh) WHERE u.fresh) r
          JOIN ledger_fiscalperiod p
            ON p.state = 'closed' AND r.effective_on BETWEEN p.starts_on AND p.ends_on
         ORDER BY 1 LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'the period is closed'
                USING ERRCODE = 'KL003', DETAIL = v_day::text;
        END IF;
        IF EXISTS (SELECT FROM unnest(p_reverses_ids, v_fresh) AS r(reverses_id, fresh)
                     JOIN ledger_transfer t ON t.reverses_id = r.reverses_id
                    WHERE r.fresh AND r.reverses_id IS NOT NULL) THEN
            RAISE EXCEPTION 'reversed before' USING ERRCODE = 'KL006';
        END IF;

        v_writer := set_config('ledger.writer', 'on', true);
        WITH side AS (
            SELECT r.n, 0 AS credit, r.account, r.stripe, r.amount, r.currency, r.fresh,
                   false AS deferred
              FROM unnest(p_debit_accounts, p_debit_stripes, p_amounts, p_currencies, v_fresh)
                   WITH ORDINALITY AS r(account, stripe, amount, currency, fresh, n)
             UNION ALL
            SELECT r.n, 1, r.account, r.stripe, r.amount, r.currency, r.fresh, r.deferred
              FROM unnest(p_credit_accounts, p_credit_stripes, p_amounts, p_currencies, v_fresh,
                          v_deferred)
                   WITH ORDINALITY AS r(account, stripe, amount, currency, fresh, deferred, n)
        ), change AS (
            SELECT s.n, s.credit, s.account, s.stripe, s.deferred,
                   (s.fresh AND NOT s.deferred)::int AS counted,
                   CASE WHEN s.fresh AND NOT s.deferred
                        THEN b.direction * (1 - 2 * s.credit) * s.amount ELSE 0 END AS change,
                   s.fresh AND (NOT b.is_open OR b.currency <> s.currency
                                OR s.deferred AND (b.floor IS NOT NULL OR b.stripe <> 0))
                       AS unusable,
                   s.fresh AND s.deferred AND (s.amount >= 1000000000000
                                   OR abs(b.posted / 2) >= 2305843009213693952) AS much,
                   b.posted, b.version, b.posted - b.held - b.floor AS spare
              FROM side s
              JOIN ledger_balance b ON b.account_id = s.account AND b.stripe = s.stripe
        ), run AS MATERIALIZED (
            SELECT c.n, c.credit, c.account, c.stripe, c.deferred, c.unusable, c.much,
                   (c.posted + sum(c.change) OVER w)::bigint AS balance,
                   c.version + sum(c.counted) OVER w AS version,
                   c.spare + sum(c.change) OVER w AS spare
              FROM change c
            WINDOW w AS (PARTITION BY c.account, c.stripe ORDER BY c.n ROWS UNBOUNDED PRECEDING)
        ), final AS (
            SELECT r.account, r.stripe, max(r.version) AS version,
                   (array_agg(r.balance ORDER BY r.n DESC))[1] AS balance, min(r.spare) AS spare
              FROM run r GROUP BY r.account, r.stripe
        ), written AS (
            UPDATE ledger_balance b SET posted = f.balance, version = f.version
              FROM final f
             WHERE b.account_id = f.account AND b.stripe = f.stripe
               AND (f.spare IS NULL OR f.spare >= 0) AND f.version > b.version
            RETURNING 1
        )
        SELECT array_agg(r.version ORDER BY r.n) FILTER (WHERE r.credit = 0),
               array_agg(r.balance ORDER BY r.n) FILTER (WHERE r.credit = 0),
               array_agg(CASE WHEN NOT r.deferred THEN r.version END ORDER BY r.n)
                   FILTER (WHERE r.credit = 1),
               array_agg(CASE WHEN NOT r.deferred THEN r.balance END ORDER BY r.n)
                   FILTER (WHERE r.credit = 1),
               count(*), bool_or(r.unusable), bool_or(r.much),
               (array_agg(r.account ORDER BY r.n) FILTER (WHERE r.spare < 0))[1]
          INTO v_debit_versions, v_debit_balances, v_credit_versions, v_credit_balances,
               v_seen, v_unusable, v_much, v_low
          FROM run r;
        IF v_unusable OR v_seen <> 2 * cardinality(p_ids) THEN
            RAISE EXCEPTION 'an account is missing, closed or in another currency'
                USING ERRCODE = 'KL001';
        ELSIF v_much THEN
            RAISE EXCEPTION 'too much for an account whose credits are counted later'
                USING ERRCODE = '22003';
        ELSIF v_low IS NOT NULL THEN
            RAISE EXCEPTION 'a balance would fall below its floor'
                USING ERRCODE = 'KL005', DETAIL = v_low::text;
        END IF;

        INSERT INTO ledger_transfer (
            id, request_hash, journal_id, leg,
            debit_account_id, debit_stripe, debit_version, debit_balance,
            credit_account_id, credit_stripe, credit_version, credit_balance,
            amount_minor, currency, effective_on, posted_at, kind, rule,
            source_type, source_id, actor_id, reverses_id, memo)
        SELECT r.id, r.request_hash, r.journal_id, r.leg,
               r.debit_account, r.debit_stripe, r.debit_version, r.debit_balance,
               r.credit_account, r.credit_stripe, r.credit_version, r.credit_balance,
               r.amount, r.currency, r.effective_on, p_posted_at, r.kind, r.rule,
               r.source_type, r.source_id, p_actor_id, r.reverses_id, r.memo
          FROM unnest(
                   p_ids, p_request_hashes, p_journal_ids, p_legs,
                   p_debit_accounts, p_debit_stripes, v_debit_versions, v_debit_balances,
                   p_credit_accounts, p_credit_stripes, v_credit_versions, v_credit_balances,
                   p_amounts, p_currencies, p_effective_on, p_kinds, p_rules,
                   p_source_types, p_source_ids, p_reverses_ids, p_memos, v_fresh)
               AS r(id, request_hash, journal_id, leg,
                    debit_account, debit_stripe, debit_version, debit_balance,
                    credit_account, credit_stripe, credit_version, credit_balance,
                    amount, currency, effective_on, kind, rule,
                    source_type, source_id, reverses_id, memo, fresh)
         WHERE r.fresh
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS v_written = ROW_COUNT;
        IF v_written <> (SELECT count(*) FROM unnest(v_fresh) AS f(fresh) WHERE f.fresh) THEN
            -- The same request in parallel has waited for the same balances, unless it took another
            -- stripe of a debited account and its credit is counted later.
            IF NOT EXISTS (
                SELECT FROM unnest(p_ids, p_request_hashes, p_reverses_ids, v_fresh)
                         AS r(id, request_hash, reverses_id, fresh)
                  JOIN ledger_transfer t
                    ON t.id = r.id AND t.request_hash <> r.request_hash
                    OR t.reverses_id = r.reverses_id AND t.id <> r.id
                 WHERE r.fresh)
            THEN
                RAISE EXCEPTION 'the same was posted meanwhile' USING ERRCODE = '40001';
            END IF;
            RAISE EXCEPTION 'an id belongs to another request' USING ERRCODE = 'KL002';
        END IF;
        IF true = ANY (v_deferred) THEN
            INSERT INTO ledger_deferredcredit (account_id, transfer_id, amount_minor)
            SELECT r.account, r.id, r.amount
              FROM unnest(p_ids, p_credit_accounts, p_amounts, v_fresh, v_deferred)
                   AS r(id, account, amount, fresh, deferred)
             WHERE r.fresh AND r.deferred;
        END IF;
        v_writer := set_config('ledger.writer', '', true);
        RETURN QUERY
        SELECT r.id, r.debit_version, r.debit_balance, r.credit_version, r.credit_balance, false
          FROM unnest(p_ids, v_debit_versions, v_debit_balances,
                      v_credit_versions, v_credit_balances, v_fresh)
               AS r(id, debit_version, debit_balance, credit_version, credit_balance, fresh)
         WHERE r.fresh;
    END IF;
    IF false = ANY (v_fresh) THEN
        RETURN QUERY
        SELECT t.id, t.debit_version, t.debit_balance, t.credit_version, t.credit_balance, true
          FROM unnest(p_ids, v_fresh) AS r(id, fresh) JOIN ledger_transfer t ON t.id = r.id
         WHERE NOT r.fresh;
    END IF;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_post_transfers(
    uuid[], bytea[], uuid[], smallint[], uuid[], smallint[], uuid[], smallint[], bigint[], text[],
    date[], text[], text[], text[], uuid[], uuid[], text[], uuid, timestamptz,
    boolean[]) FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_post_transfers(
    uuid[], bytea[], uuid[], smallint[], uuid[], smallint[], uuid[], smallint[], bigint[], text[],
    date[], text[], text[], text[], uuid[], uuid[], text[], uuid, timestamptz,
    boolean[]);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0062_post_deferred")]
    operations = [
        migrations.RunSQL(DROP_FORMER, FORMER),
        migrations.RunSQL(CREATE, DROP),
    ]
