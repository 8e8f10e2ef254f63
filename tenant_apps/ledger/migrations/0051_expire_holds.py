"""Holds whose time is over are closed together: holds, balances and entries in one statement."""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_expire_holds(p_holds uuid[], p_actor_id uuid, p_recorded_at timestamptz)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
-- Expires what these holds still hold; answers how many were open and over. Whoever calls has
-- locked them and their balances, in the order of `ledger_lock_holds`.
DECLARE
    v_expired integer;
    v_writer text;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    WITH due AS MATERIALIZED (
        SELECT h.id, h.account_id, h.currency, h.entries_count,
               h.amount_minor - h.captured_minor - h.released_minor AS rest
          FROM ledger_hold h
         WHERE h.id = ANY (p_holds) AND h.state = 'open' AND h.expires_at <= p_recorded_at
         ORDER BY h.id
           FOR NO KEY UPDATE
    ),
    closed AS (
        UPDATE ledger_hold h
           SET released_minor = h.released_minor + d.rest, entries_count = d.entries_count + 1,
               state = CASE WHEN h.captured_minor > 0 THEN 'captured' ELSE 'expired' END
          FROM due d WHERE h.id = d.id
    ),
    given_back AS (
        UPDATE ledger_balance b SET held = b.held - s.rest
          FROM (SELECT account_id, sum(rest)::bigint AS rest FROM due GROUP BY account_id) AS s
         WHERE b.account_id = s.account_id AND b.stripe = 0
        RETURNING b.account_id, b.held
    ),
    entered AS (
        -- Step by step, in the order of the ids: what was held in all right after each.
        INSERT INTO ledger_holdentry (
            hold_id, number, kind, amount_minor, held_minor, currency, recorded_at, actor_id)
        SELECT d.id, d.entries_count + 1, 'expire', d.rest,
               b.held + coalesce(sum(d.rest) OVER (
                   PARTITION BY d.account_id ORDER BY d.id DESC
                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0),
               d.currency, p_recorded_at, p_actor_id
          FROM due d JOIN given_back b ON b.account_id = d.account_id
    )
    SELECT count(*) INTO v_expired FROM due;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_expired;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_expire_holds(uuid[], uuid, timestamptz) FROM PUBLIC;
"""
DROP = "DROP FUNCTION ledger_expire_holds(uuid[], uuid, timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("ledger", "0037_stripe_functions")]
    operations = [migrations.RunSQL(CREATE, DROP)]
