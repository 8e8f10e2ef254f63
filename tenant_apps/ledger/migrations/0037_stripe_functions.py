"""Opening an account opens its stripes; what leaves a striped account is gathered first.

The account's floor is that of its first stripe, the others may not fall below zero: so the sum
never falls below it, and each posting still asks one row alone. Gathering moves money between the
stripes of one account, by transfers like any other: every stripe's balance stays the sum of its
transfers.
"""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION ledger_open_stripes(p_ids uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_writer text;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    INSERT INTO ledger_balance (
        account_id, stripe, posted, held, floor, version, direction, currency, is_open)
    SELECT a.id, s.stripe, 0, 0,
           CASE WHEN s.stripe = 0 THEN a.floor WHEN a.floor IS NOT NULL THEN 0 END, 0,
           CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END, a.currency, a.status = 'open'
      FROM ledger_account a CROSS JOIN LATERAL generate_series(0, a.stripes - 1) AS s(stripe)
     WHERE a.id = ANY (p_ids)
     ORDER BY a.id, s.stripe
    ON CONFLICT (account_id, stripe) DO NOTHING;
    v_writer := set_config('ledger.writer', '', true);
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_open_stripes(uuid[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION ledger_open_accounts(
    p_ids uuid[], p_chart_ids uuid[], p_currencies text[], p_subledger_ids uuid[],
    p_opened_at timestamptz, p_actor_id uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_opened text;
BEGIN
    -- In the order of ids, so that parallel openers queue instead of deadlocking.
    INSERT INTO ledger_account (
        id, created_at, updated_at, created_by_id, updated_by_id, code, name, kind, normal_side,
        subledger, currency, subledger_id, parent_id, lock_rank, stripes, floor, status)
    SELECT o.id, p_opened_at, p_opened_at, p_actor_id, p_actor_id, c.code, c.name, c.kind,
           c.normal_side, c.subledger, o.currency, o.subledger_id, c.id, c.lock_rank, c.stripes,
           c.floor, 'open'
      FROM unnest(p_ids, p_chart_ids, p_currencies, p_subledger_ids)
           AS o(id, chart_id, currency, subledger_id)
      JOIN ledger_account c ON c.id = o.chart_id AND c.currency IS NULL AND c.status = 'open'
     ORDER BY o.id
    -- Any conflict is the same account: with a target, another unique index could still raise.
    ON CONFLICT DO NOTHING;
    v_opened := ledger_open_stripes(p_ids);
END
$body$;

CREATE OR REPLACE FUNCTION ledger_gather(
    p_account uuid, p_amount bigint, p_currency text, p_into smallint, p_ids uuid[],
    p_request_hash bytea, p_journal_id uuid, p_effective_on date, p_actor_id uuid,
    p_posted_at timestamptz
) RETURNS smallint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_into smallint;
    v_missing bigint;
    v_stripe ledger_balance%ROWTYPE;
    v_take bigint;
    v_leg smallint := 0;
    v_from_version bigint;
    v_from_balance bigint;
    v_into_version bigint;
    v_into_balance bigint;
    v_writer text;
BEGIN
    -- Again where stripes were added meanwhile: what is read below is locked.
    LOOP
        EXIT WHEN ledger_lock_balances(ARRAY[p_account])
                  >= (SELECT count(*) FROM ledger_balance b WHERE b.account_id = p_account);
    END LOOP;
    SELECT b.stripe, p_amount - (b.posted - b.held - b.floor) INTO v_into, v_missing
      FROM ledger_balance b
     WHERE b.account_id = p_account AND (p_into IS NULL OR b.stripe = p_into)
     ORDER BY b.posted - b.held - b.floor DESC, b.stripe LIMIT 1;
    -- Whether it is enough, and whether the account takes postings, the posting will say; where it
    -- refuses, what is moved here is undone with it.
    IF v_missing IS NULL OR v_missing <= 0 THEN
        RETURN coalesce(v_into, 0);
    ELSIF EXISTS (SELECT FROM ledger_fiscalperiod p
                   WHERE p.state = 'closed'
                     AND p.ends_on >= p_effective_on AND p.starts_on <= p_effective_on)
    THEN
        RAISE EXCEPTION 'the period is closed'
            USING ERRCODE = 'KL003', DETAIL = p_effective_on::text;
    END IF;
    v_writer := set_config('ledger.writer', 'on', true);
    FOR v_stripe IN
        SELECT * FROM ledger_balance b
         WHERE b.account_id = p_account AND b.stripe <> v_into AND b.posted - b.held > b.floor
           AND b.is_open AND b.currency = p_currency
         ORDER BY b.stripe
    LOOP
        EXIT WHEN v_missing <= 0;
        v_take := least(v_missing, v_stripe.posted - v_stripe.held - v_stripe.floor);
        v_missing := v_missing - v_take;
        v_leg := v_leg + 1;
        UPDATE ledger_balance b SET posted = b.posted - v_take, version = b.version + 1
         WHERE b.account_id = p_account AND b.stripe = v_stripe.stripe
        RETURNING b.version, b.posted INTO v_from_version, v_from_balance;
        UPDATE ledger_balance b SET posted = b.posted + v_take, version = b.version + 1
         WHERE b.account_id = p_account AND b.stripe = v_into
        RETURNING b.version, b.posted INTO v_into_version, v_into_balance;
        INSERT INTO ledger_transfer (
            id, request_hash, journal_id, leg,
            debit_account_id, debit_stripe, debit_version, debit_balance,
            credit_account_id, credit_stripe, credit_version, credit_balance,
            amount_minor, currency, effective_on, posted_at, kind, rule,
            source_type, source_id, actor_id, reverses_id, memo)
        SELECT p_ids[v_leg], p_request_hash, p_journal_id, v_leg,
               p_account, d.stripe, d.version, d.balance, p_account, c.stripe, c.version, c.balance,
               v_take, p_currency, p_effective_on, p_posted_at, 'gathering', '',
               'ledger.journal', p_journal_id, p_actor_id, NULL, ''
          FROM (VALUES (1, v_into, v_into_version, v_into_balance),
                       (-1, v_stripe.stripe, v_from_version, v_from_balance))
                   AS d(direction, stripe, version, balance),
               (VALUES (-1, v_into, v_into_version, v_into_balance),
                       (1, v_stripe.stripe, v_from_version, v_from_balance))
                   AS c(direction, stripe, version, balance)
         WHERE d.direction = v_stripe.direction AND c.direction = v_stripe.direction;
    END LOOP;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_into;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_gather(
    uuid, bigint, text, smallint, uuid[], bytea, uuid, date, uuid, timestamptz) FROM PUBLIC;
"""


# Accounts as they were opened before (0005). Once stripes carry money, there is no way back.
RESTORE = """
CREATE OR REPLACE FUNCTION ledger_open_accounts(
    p_ids uuid[], p_chart_ids uuid[], p_currencies text[], p_subledger_ids uuid[],
    p_opened_at timestamptz, p_actor_id uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_writer text;
BEGIN
    INSERT INTO ledger_account (
        id, created_at, updated_at, created_by_id, updated_by_id, code, name, kind, normal_side,
        subledger, currency, subledger_id, parent_id, lock_rank, floor, status)
    SELECT o.id, p_opened_at, p_opened_at, p_actor_id, p_actor_id, c.code, c.name, c.kind,
           c.normal_side, c.subledger, o.currency, o.subledger_id, c.id, c.lock_rank, c.floor,
           'open'
      FROM unnest(p_ids, p_chart_ids, p_currencies, p_subledger_ids)
           AS o(id, chart_id, currency, subledger_id)
      JOIN ledger_account c ON c.id = o.chart_id AND c.currency IS NULL AND c.status = 'open'
     ORDER BY o.id
    ON CONFLICT DO NOTHING;
    v_writer := set_config('ledger.writer', 'on', true);
    INSERT INTO ledger_balance (
        account_id, stripe, posted, held, floor, version, direction, currency, is_open)
    SELECT a.id, 0, 0, 0, a.floor, 0, CASE a.normal_side WHEN 'debit' THEN 1 ELSE -1 END,
           a.currency, a.status = 'open'
      FROM ledger_account a
     WHERE a.id = ANY (p_ids)
     ORDER BY a.id
    ON CONFLICT (account_id, stripe) DO NOTHING;
    v_writer := set_config('ledger.writer', '', true);
END
$body$;
DROP FUNCTION ledger_gather(
    uuid, bigint, text, smallint, uuid[], bytea, uuid, date, uuid, timestamptz);
DROP FUNCTION ledger_open_stripes(uuid[]);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0036_stripes")]
    operations = [migrations.RunSQL(CREATE, RESTORE)]
