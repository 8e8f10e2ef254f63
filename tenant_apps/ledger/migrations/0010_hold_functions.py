"""Reserving, capturing and releasing funds: a hold's row and its account's `held` move together.

Locks are taken in one order: holds by id, then balances by rank and id. A hold is changed by one
conditional statement, so that of a capture and an expiry at the same moment one finds it closed.
"""

from django.db import migrations

CREATE = """
CREATE TRIGGER ledger_hold_guard
    BEFORE INSERT OR UPDATE OR DELETE ON ledger_hold FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_hold_truncate
    BEFORE TRUNCATE ON ledger_hold FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_holdentry_guard
    BEFORE INSERT ON ledger_holdentry FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_holdentry_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_holdentry FOR EACH STATEMENT
    EXECUTE FUNCTION ledger_refuse_write();

CREATE FUNCTION ledger_reserve(
    p_id uuid, p_request_hash bytea, p_account uuid, p_amount bigint, p_currency text,
    p_expires_at timestamptz, p_source_type text, p_source_id uuid, p_memo text,
    p_actor_id uuid, p_reserved_at timestamptz,
    OUT posted bigint, OUT held bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_known bytea;
    v_writer text;
BEGIN
    replayed := false;
    v_writer := set_config('ledger.writer', 'on', true);
    UPDATE ledger_balance b SET held = b.held + p_amount
     WHERE b.account_id = p_account AND b.stripe = 0 AND b.is_open AND b.currency = p_currency
       AND (b.floor IS NULL OR b.posted - b.held - p_amount >= b.floor)
    RETURNING b.posted, b.held INTO posted, held;
    IF held IS NOT NULL THEN
        INSERT INTO ledger_hold (
            id, request_hash, account_id, amount_minor, captured_minor, released_minor, currency,
            state, entries_count, expires_at, reserved_at, source_type, source_id, actor_id, memo)
        SELECT p_id, p_request_hash, p_account, p_amount, 0, 0, p_currency, 'open', 1,
               p_expires_at, p_reserved_at, p_source_type, p_source_id, p_actor_id, p_memo
         WHERE NOT EXISTS (SELECT FROM ledger_hold h WHERE h.id = p_id);
        IF FOUND THEN
            INSERT INTO ledger_holdentry (
                hold_id, number, kind, amount_minor, held_minor, currency, recorded_at, actor_id)
            VALUES (p_id, 1, 'reserve', p_amount, held, p_currency, p_reserved_at, p_actor_id);
            v_writer := set_config('ledger.writer', '', true);
            RETURN;
        END IF;
    END IF;

    SELECT h.request_hash INTO v_known FROM ledger_hold h WHERE h.id = p_id;
    IF v_known IS NULL THEN
        IF NOT EXISTS (SELECT FROM ledger_balance b
                        WHERE b.account_id = p_account AND b.stripe = 0
                          AND b.is_open AND b.currency = p_currency)
        THEN
            RAISE EXCEPTION 'an account is missing, closed or in another currency'
                USING ERRCODE = 'KL001';
        END IF;
        RAISE EXCEPTION 'a balance would fall below its floor'
            USING ERRCODE = 'KL005', DETAIL = p_account::text;
    END IF;
    IF held IS NOT NULL THEN
        UPDATE ledger_balance b SET held = b.held - p_amount
         WHERE b.account_id = p_account AND b.stripe = 0;
    END IF;
    v_writer := set_config('ledger.writer', '', true);
    IF v_known <> p_request_hash THEN
        RAISE EXCEPTION 'this id belongs to another request'
            USING ERRCODE = 'KL002', DETAIL = p_id::text;
    END IF;
    SELECT b.posted, b.held, true INTO posted, held, replayed
      FROM ledger_balance b WHERE b.account_id = p_account AND b.stripe = 0;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_reserve(
    uuid, bytea, uuid, bigint, text, timestamptz, text, uuid, text, uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION ledger_lock_holds(p_holds uuid[], p_accounts uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
BEGIN
    PERFORM FROM ledger_hold h WHERE h.id = ANY (p_holds) ORDER BY h.id FOR NO KEY UPDATE;
    PERFORM FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
      WHERE b.account_id = ANY (p_accounts)
      ORDER BY a.lock_rank, b.account_id, b.stripe
        FOR NO KEY UPDATE OF b;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_holds(uuid[], uuid[]) FROM PUBLIC;

CREATE FUNCTION ledger_close_hold(
    p_id uuid, p_captured bigint, p_journal_id uuid, p_rest text,
    p_actor_id uuid, p_recorded_at timestamptz,
    OUT account_id uuid, OUT state text, OUT remaining bigint, OUT replayed boolean
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
-- Take `p_captured` out of a hold for a journal, and with the rest do what `p_rest` says:
-- 'keep' it, or 'release' or 'expire' it.
#variable_conflict use_column
DECLARE
    v_hold ledger_hold%ROWTYPE;
    v_rest bigint;
    v_held bigint;
    v_writer text;
BEGIN
    replayed := false;
    SELECT * INTO v_hold FROM ledger_hold h WHERE h.id = p_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such hold' USING ERRCODE = 'KL009', DETAIL = p_id::text;
    END IF;
    account_id := v_hold.account_id;
    remaining := v_hold.amount_minor - v_hold.captured_minor - v_hold.released_minor;
    IF p_captured > 0 AND EXISTS (
        SELECT FROM ledger_holdentry e WHERE e.hold_id = p_id AND e.journal_id = p_journal_id)
    THEN
        state := v_hold.state;
        replayed := true;
        RETURN;
    END IF;
    IF v_hold.state <> 'open' THEN
        IF p_captured = 0 AND (v_hold.state, p_rest) IN (
            ('expired', 'expire'), ('released', 'release'))
        THEN
            state := v_hold.state;
            replayed := true;
            RETURN;
        END IF;
        RAISE EXCEPTION 'the hold is closed' USING ERRCODE = 'KL010', DETAIL = v_hold.state;
    ELSIF p_captured < 0 OR p_captured > remaining THEN
        RAISE EXCEPTION 'more than is held' USING ERRCODE = 'KL011', DETAIL = remaining::text;
    END IF;
    remaining := remaining - p_captured;
    v_rest := CASE WHEN p_rest = 'keep' THEN 0 ELSE remaining END;
    remaining := remaining - v_rest;
    state := CASE WHEN remaining > 0 THEN 'open'
                  WHEN v_hold.captured_minor + p_captured > 0 THEN 'captured'
                  WHEN p_rest = 'expire' THEN 'expired' ELSE 'released' END;
    v_writer := set_config('ledger.writer', 'on', true);
    UPDATE ledger_hold h
       SET captured_minor = h.captured_minor + p_captured,
           released_minor = h.released_minor + v_rest,
           entries_count = h.entries_count + (p_captured > 0)::int + (v_rest > 0)::int,
           state = ledger_close_hold.state
     WHERE h.id = p_id;
    UPDATE ledger_balance b SET held = b.held - p_captured - v_rest
     WHERE b.account_id = v_hold.account_id AND b.stripe = 0
    RETURNING b.held INTO v_held;
    INSERT INTO ledger_holdentry (
        hold_id, number, kind, amount_minor, held_minor, currency, journal_id, recorded_at,
        actor_id)
    SELECT p_id, v_hold.entries_count + row_number() OVER (ORDER BY s.place), s.kind, s.amount,
           v_held + CASE s.place WHEN 1 THEN v_rest ELSE 0 END, v_hold.currency,
           s.journal_id, p_recorded_at, p_actor_id
      FROM (VALUES (1, 'capture', p_captured, p_journal_id),
                   (2, CASE p_rest WHEN 'expire' THEN 'expire' ELSE 'release' END, v_rest, NULL))
           AS s(place, kind, amount, journal_id)
     WHERE s.amount > 0;
    v_writer := set_config('ledger.writer', '', true);
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_close_hold(
    uuid, bigint, uuid, text, uuid, timestamptz) FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_close_hold(uuid, bigint, uuid, text, uuid, timestamptz);
DROP FUNCTION ledger_lock_holds(uuid[], uuid[]);
DROP FUNCTION ledger_reserve(
    uuid, bytea, uuid, bigint, text, timestamptz, text, uuid, text, uuid, timestamptz);
DROP TRIGGER ledger_holdentry_append_only ON ledger_holdentry;
DROP TRIGGER ledger_holdentry_guard ON ledger_holdentry;
DROP TRIGGER ledger_hold_truncate ON ledger_hold;
DROP TRIGGER ledger_hold_guard ON ledger_hold;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0009_holds")]
    operations = [migrations.RunSQL(CREATE, DROP)]
