"""One transfer whose credit is counted later: parallel postings do not meet at that account.

The debit is written as ever, under its conditions and locks, so that the same request in parallel
waits for it and is seen as a replay. Of the credited account nothing is locked or changed: that it
is open, in this currency and without a floor is read, and it stays so until the end, because
whoever closes it waits for the table lock that is taken first.

So many credits as could wait never leave 64 bits together, if each is small and what was counted
leaves room: dearer ones, of a trillion minor units, are counted at once.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_post_deferred(
    p_id uuid, p_request_hash bytea, p_journal_id uuid, p_leg smallint,
    p_debit_account uuid, p_debit_stripe smallint, p_debit_rank smallint,
    p_credit_account uuid,
    p_amount bigint, p_currency text, p_effective_on date, p_kind text, p_rule text,
    p_source_type text, p_source_id uuid, p_reverses_id uuid, p_memo text,
    p_actor_id uuid, p_posted_at timestamptz,
    OUT debit_version bigint, OUT debit_balance bigint,
    OUT credit_version bigint, OUT credit_balance bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_known bytea;
    v_queue text;
    v_writer text;  -- an assignment is cheaper than PERFORM
BEGIN
    replayed := false;
    -- Whoever closes or opens a line of the chart waits for this lock: what is read next holds.
    LOCK TABLE ledger_deferredcredit IN ROW EXCLUSIVE MODE;
    IF p_debit_rank > 0 THEN
        v_queue := pg_advisory_xact_lock(uuid_hash_extended(
            p_debit_account,
            'ledger_balance'::regclass::oid::bigint * 65536 + p_debit_stripe));
    END IF;
    v_writer := set_config('ledger.writer', 'on', true);
    UPDATE ledger_balance b
       SET posted = b.posted + b.direction * p_amount, version = b.version + 1
     WHERE b.account_id = p_debit_account AND b.stripe = p_debit_stripe
       AND b.is_open AND b.currency = p_currency
       AND (b.floor IS NULL OR b.posted + b.direction * p_amount - b.held >= b.floor)
    RETURNING b.posted, b.version INTO debit_balance, debit_version;
    IF debit_version IS NOT NULL THEN
        INSERT INTO ledger_transfer (
            id, request_hash, journal_id, leg,
            debit_account_id, debit_stripe, debit_version, debit_balance,
            credit_account_id, credit_stripe,
            amount_minor, currency, effective_on, posted_at, kind, rule,
            source_type, source_id, actor_id, reverses_id, memo)
        SELECT p_id, p_request_hash, p_journal_id, p_leg,
               p_debit_account, p_debit_stripe, debit_version, debit_balance,
               p_credit_account, 0,
               p_amount, p_currency, p_effective_on, p_posted_at, p_kind, p_rule,
               p_source_type, p_source_id, p_actor_id, p_reverses_id, p_memo
          FROM ledger_balance b
         WHERE b.account_id = p_credit_account AND b.stripe = 0
           AND b.is_open AND b.currency = p_currency AND b.floor IS NULL
           AND p_amount < 1000000000000 AND abs(b.posted / 2) < 2305843009213693952
           AND NOT EXISTS (
                   SELECT FROM ledger_fiscalperiod p
                    WHERE p.state = 'closed'
                      AND p.ends_on >= p_effective_on AND p.starts_on <= p_effective_on)
           AND NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.id = p_id)
        -- From another stripe of the debited account, the same request meets this one only here.
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            INSERT INTO ledger_deferredcredit (account_id, transfer_id, amount_minor)
            VALUES (p_credit_account, p_id, p_amount);
            v_writer := set_config('ledger.writer', '', true);
            RETURN;
        END IF;
    END IF;

    SELECT t.request_hash INTO v_known FROM ledger_transfer t WHERE t.id = p_id;
    IF v_known IS NULL THEN
        -- A refusal: what was changed above is undone with it.
        IF EXISTS (SELECT FROM ledger_fiscalperiod p
                    WHERE p.state = 'closed'
                      AND p.ends_on >= p_effective_on AND p.starts_on <= p_effective_on)
        THEN
            RAISE EXCEPTION 'the period is closed'
                USING ERRCODE = 'KL003', DETAIL = p_effective_on::text;
        ELSIF 2 <> (SELECT count(*) FROM ledger_balance b
                     WHERE b.is_open AND b.currency = p_currency
                       AND ((b.account_id = p_debit_account AND b.stripe = p_debit_stripe)
                         OR (b.account_id = p_credit_account AND b.stripe = 0
                             AND b.floor IS NULL)))
        THEN
            RAISE EXCEPTION 'an account is missing, closed or in another currency'
                USING ERRCODE = 'KL001';
        ELSIF debit_version IS NOT NULL
          AND (p_amount >= 1000000000000
               OR EXISTS (SELECT FROM ledger_balance b
                           WHERE b.account_id = p_credit_account AND b.stripe = 0
                             AND abs(b.posted / 2) >= 2305843009213693952))
        THEN
            RAISE EXCEPTION 'too much for an account whose credits are counted later'
                USING ERRCODE = '22003';
        ELSIF debit_version IS NOT NULL THEN
            -- The debit was taken, and the credited account could be used then as it can now:
            -- then it was the period, even where that is open again by now.
            RAISE EXCEPTION 'the period is closed'
                USING ERRCODE = 'KL003', DETAIL = p_effective_on::text;
        END IF;
        RAISE EXCEPTION 'a balance would fall below its floor'
            USING ERRCODE = 'KL005', DETAIL = p_debit_account;
    END IF;

    -- The same id stands in the books: take back what was changed above. No gap opens, for the
    -- row has been locked all the time.
    IF debit_version IS NOT NULL THEN
        UPDATE ledger_balance b
           SET posted = b.posted - b.direction * p_amount, version = b.version - 1
         WHERE b.account_id = p_debit_account AND b.stripe = p_debit_stripe;
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
REVOKE EXECUTE ON FUNCTION ledger_post_deferred(
    uuid, bytea, uuid, smallint, uuid, smallint, smallint, uuid, bigint, text,
    date, text, text, text, uuid, uuid, text, uuid, timestamptz) FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_post_deferred(
    uuid, bytea, uuid, smallint, uuid, smallint, smallint, uuid, bigint, text,
    date, text, text, text, uuid, uuid, text, uuid, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0061_folding")]
    operations = [migrations.RunSQL(CREATE, DROP)]
