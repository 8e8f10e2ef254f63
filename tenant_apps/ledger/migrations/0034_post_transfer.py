"""One transfer: a shared balance is changed behind its advisory lock, the table lock comes by itself."""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION ledger_post_transfer(
    p_id uuid, p_request_hash bytea, p_journal_id uuid, p_leg smallint,
    p_debit_account uuid, p_debit_stripe smallint, p_debit_rank smallint,
    p_credit_account uuid, p_credit_stripe smallint, p_credit_rank smallint,
    p_amount bigint, p_currency text, p_effective_on date, p_kind text, p_rule text,
    p_source_type text, p_source_id uuid, p_reverses_id uuid, p_memo text,
    p_actor_id uuid, p_posted_at timestamptz,
    OUT debit_version bigint, OUT debit_balance bigint,
    OUT credit_version bigint, OUT credit_balance bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_known bytea;
    v_writer text;  -- an assignment is cheaper than PERFORM
    v_queue text;
BEGIN
    replayed := false;
    v_writer := set_config('ledger.writer', 'on', true);
    IF (p_debit_rank, p_debit_account, p_debit_stripe)
       < (p_credit_rank, p_credit_account, p_credit_stripe)
    THEN
        IF p_debit_rank > 0 THEN
            v_queue := pg_advisory_xact_lock(uuid_hash_extended(
                p_debit_account,
                'ledger_balance'::regclass::oid::bigint * 65536 + p_debit_stripe));
        END IF;
        UPDATE ledger_balance b
           SET posted = b.posted + b.direction * p_amount, version = b.version + 1
         WHERE b.account_id = p_debit_account AND b.stripe = p_debit_stripe
           AND b.is_open AND b.currency = p_currency
           AND (b.floor IS NULL OR b.posted + b.direction * p_amount - b.held >= b.floor)
        RETURNING b.posted, b.version INTO debit_balance, debit_version;
        IF p_credit_rank > 0 THEN
            v_queue := pg_advisory_xact_lock(uuid_hash_extended(
                p_credit_account,
                'ledger_balance'::regclass::oid::bigint * 65536 + p_credit_stripe));
        END IF;
        UPDATE ledger_balance b
           SET posted = b.posted - b.direction * p_amount, version = b.version + 1
         WHERE b.account_id = p_credit_account AND b.stripe = p_credit_stripe
           AND b.is_open AND b.currency = p_currency
           AND (b.floor IS NULL OR b.posted - b.direction * p_amount - b.held >= b.floor)
        RETURNING b.posted, b.version INTO credit_balance, credit_version;
    ELSE
        IF p_credit_rank > 0 THEN
            v_queue := pg_advisory_xact_lock(uuid_hash_extended(
                p_credit_account,
                'ledger_balance'::regclass::oid::bigint * 65536 + p_credit_stripe));
        END IF;
        UPDATE ledger_balance b
           SET posted = b.posted - b.direction * p_amount, version = b.version + 1
         WHERE b.account_id = p_credit_account AND b.stripe = p_credit_stripe
           AND b.is_open AND b.currency = p_currency
           AND (b.floor IS NULL OR b.posted - b.direction * p_amount - b.held >= b.floor)
        RETURNING b.posted, b.version INTO credit_balance, credit_version;
        IF p_debit_rank > 0 THEN
            v_queue := pg_advisory_xact_lock(uuid_hash_extended(
                p_debit_account,
                'ledger_balance'::regclass::oid::bigint * 65536 + p_debit_stripe));
        END IF;
        UPDATE ledger_balance b
           SET posted = b.posted + b.direction * p_amount, version = b.version + 1
         WHERE b.account_id = p_debit_account AND b.stripe = p_debit_stripe
           AND b.is_open AND b.currency = p_currency
           AND (b.floor IS NULL OR b.posted + b.direction * p_amount - b.held >= b.floor)
        RETURNING b.posted, b.version INTO debit_balance, debit_version;
    END IF;
    IF debit_version IS NOT NULL AND credit_version IS NOT NULL THEN
        INSERT INTO ledger_transfer (
            id, request_hash, journal_id, leg,
            debit_account_id, debit_stripe, debit_version, debit_balance,
            credit_account_id, credit_stripe, credit_version, credit_balance,
            amount_minor, currency, effective_on, posted_at, kind, rule,
            source_type, source_id, actor_id, reverses_id, memo)
        SELECT p_id, p_request_hash, p_journal_id, p_leg,
               p_debit_account, p_debit_stripe, debit_version, debit_balance,
               p_credit_account, p_credit_stripe, credit_version, credit_balance,
               p_amount, p_currency, p_effective_on, p_posted_at, p_kind, p_rule,
               p_source_type, p_source_id, p_actor_id, p_reverses_id, p_memo
         WHERE NOT EXISTS (
                   SELECT FROM ledger_fiscalperiod p
                    WHERE p.state = 'closed'
                      AND p.ends_on >= p_effective_on AND p.starts_on <= p_effective_on)
           AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.id = p_id);
        IF FOUND THEN
            v_writer := set_config('ledger.writer', '', true);
            RETURN;
        END IF;
    END IF;

    SELECT t.request_hash INTO v_known FROM ledger_transfer t WHERE t.id = p_id;
    IF v_known IS NULL THEN
        -- A refusal: what was changed above is undone with it.
        -- Both balances took it: then it was the period, even where that is open again by now.
        IF debit_version IS NOT NULL AND credit_version IS NOT NULL
           OR EXISTS (SELECT FROM ledger_fiscalperiod p
                       WHERE p.state = 'closed'
                         AND p.ends_on >= p_effective_on AND p.starts_on <= p_effective_on)
        THEN
            RAISE EXCEPTION 'the period is closed'
                USING ERRCODE = 'KL003', DETAIL = p_effective_on::text;
        ELSIF EXISTS (SELECT FROM ledger_transfer t WHERE t.reverses_id = p_reverses_id) THEN
            RAISE EXCEPTION 'reversed before' USING ERRCODE = 'KL006';
        ELSIF 2 <> (SELECT count(*) FROM ledger_balance b
                     WHERE b.is_open AND b.currency = p_currency
                       AND ((b.account_id = p_debit_account AND b.stripe = p_debit_stripe)
                         OR (b.account_id = p_credit_account AND b.stripe = p_credit_stripe)))
        THEN
            RAISE EXCEPTION 'an account is missing, closed or in another currency'
                USING ERRCODE = 'KL001';
        END IF;
        RAISE EXCEPTION 'a balance would fall below its floor'
            USING ERRCODE = 'KL005', DETAIL = CASE WHEN debit_version IS NULL
                                                   THEN p_debit_account ELSE p_credit_account END;
    END IF;

    -- The same id stands in the books: take back what was changed above. No gap opens, for the
    -- rows have been locked all the time.
    IF debit_version IS NOT NULL THEN
        UPDATE ledger_balance b
           SET posted = b.posted - b.direction * p_amount, version = b.version - 1
         WHERE b.account_id = p_debit_account AND b.stripe = p_debit_stripe;
    END IF;
    IF credit_version IS NOT NULL THEN
        UPDATE ledger_balance b
           SET posted = b.posted + b.direction * p_amount, version = b.version - 1
         WHERE b.account_id = p_credit_account AND b.stripe = p_credit_stripe;
    END IF;
    v_writer := set_config('ledger.writer', '', true);
    IF v_known <> p_request_hash THEN
        RAISE EXCEPTION 'this id belongs to another request'
            USING ERRCODE = 'KL002', DETAIL = p_id::text;
    END IF;
    SELECT t.debit_version, t.debit_balance, t.credit_version, t.credit_balance, true
      INTO debit_version, debit_balance, credit_version, credit_balance, replayed
      FROM ledger_transfer t WHERE t.id = p_id;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0033_queues_at_shared_balances")]
    # Backwards, these texts serve as well: they ask for nothing that is not there.
    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
