"""Credit lines are used in the very statement that posts the sale, by one call for all of them.

The lines come before the balances and in the order given, which is that of their ranks and ids.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_use_credit(
    p_lines uuid[], p_entries uuid[], p_transfer uuid, p_request_hash bytea, p_amount bigint,
    p_currency text, p_effective_on date, p_source_type text, p_source_id uuid, p_actor_id uuid,
    p_recorded_at timestamptz
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
-- Answers the transfer's id, so that the posting function in the same statement comes after it.
DECLARE
    v_line uuid;
    v_version bigint;
    v_refused ledger_creditline%ROWTYPE;
    v_writer text;  -- an assignment is cheaper than PERFORM
BEGIN
    IF EXISTS (SELECT FROM ledger_transfer t WHERE t.id = p_transfer) THEN
        -- A replay: the posting function answers with what was done then, or refuses other content.
        RETURN p_transfer;
    END IF;
    v_writer := set_config('ledger.writer', 'on', true);
    FOREACH v_line IN ARRAY p_lines LOOP
        v_version := NULL;
        UPDATE ledger_creditline l
           SET used_minor = l.used_minor + p_amount, grandfathered_minor = 0,
               version = l.version + 1
         WHERE l.id = v_line AND l.currency = p_currency
           AND (l.limit_minor IS NULL
                OR l.used_minor + l.held_minor + p_amount <= l.limit_minor)
        RETURNING l.version INTO v_version;
        IF v_version IS NULL THEN
            -- Before any refusal: what fills the line may be this very sale.
            IF EXISTS (SELECT FROM ledger_transfer t WHERE t.id = p_transfer) THEN
                RAISE EXCEPTION 'the same sale was posted meanwhile' USING ERRCODE = '40001';
            END IF;
            SELECT * INTO v_refused FROM ledger_creditline l
             WHERE l.id = v_line AND l.currency = p_currency;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'there is no such credit line'
                    USING ERRCODE = 'KL012', DETAIL = v_line::text;
            END IF;
            RAISE EXCEPTION 'above the limit' USING ERRCODE = 'KL013', DETAIL =
                v_refused.limit_minor || ' ' || v_refused.used_minor || ' ' || v_refused.held_minor;
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM ledger_transfer t WHERE t.id = p_transfer) THEN
        -- Somebody made the same sale while this call waited for a line. What was used here twice
        -- is undone with the transaction, and whoever repeats it finds the sale.
        RAISE EXCEPTION 'the same sale was posted meanwhile' USING ERRCODE = '40001';
    END IF;
    INSERT INTO ledger_creditlineentry (
        id, request_hash, line_id, version, kind, used_change, held_change, limit_minor,
        grandfathered_minor, used_minor, held_minor, currency, effective_on, recorded_at,
        source_type, source_id, reason, actor_id)
    SELECT e.id, p_request_hash, l.id, l.version, 'use', p_amount, 0, l.limit_minor, 0,
           l.used_minor, l.held_minor, l.currency, p_effective_on, p_recorded_at, p_source_type,
           p_source_id, '', p_actor_id
      FROM unnest(p_lines, p_entries) AS e (line, id)
      JOIN ledger_creditline l ON l.id = e.line;
    v_writer := set_config('ledger.writer', '', true);
    RETURN p_transfer;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_use_credit(
    uuid[], uuid[], uuid, bytea, bigint, text, date, text, uuid, uuid, timestamptz) FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_use_credit(
    uuid[], uuid[], uuid, bytea, bigint, text, date, text, uuid, uuid, timestamptz);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0064_settling_deferred")]
    operations = [migrations.RunSQL(CREATE, DROP)]
