"""Functions of the schema that open and close accounts and lock balances.

A function keeps the search path that it is made under (`SET search_path FROM CURRENT`), so the
same text serves every schema. It runs with its owner's rights, because the organization's role
may not write balances.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_open_accounts(
    p_ids uuid[], p_chart_ids uuid[], p_currencies text[], p_subledger_ids uuid[],
    p_opened_at timestamptz, p_actor_id uuid
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_writer text;
BEGIN
    -- In the order of ids, so that parallel openers queue instead of deadlocking.
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
    -- Any conflict is the same account: with a target, another unique index could still raise.
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
REVOKE EXECUTE ON FUNCTION ledger_open_accounts(
    uuid[], uuid[], text[], uuid[], timestamptz, uuid) FROM PUBLIC;

CREATE FUNCTION ledger_set_open(p_chart_id uuid, p_is_open boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
DECLARE
    v_writer text;
BEGIN
    v_writer := set_config('ledger.writer', 'on', true);
    UPDATE ledger_balance b SET is_open = p_is_open
      FROM ledger_account a WHERE a.id = b.account_id AND a.parent_id = p_chart_id;
    v_writer := set_config('ledger.writer', '', true);
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_set_open(uuid, boolean) FROM PUBLIC;

CREATE FUNCTION ledger_lock_balances(p_accounts uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_count integer;
BEGIN
    PERFORM FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
      WHERE b.account_id = ANY (p_accounts)
      ORDER BY a.lock_rank, b.account_id, b.stripe
        FOR NO KEY UPDATE OF b;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_balances(uuid[]) FROM PUBLIC;

CREATE FUNCTION ledger_wait_for_postings() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    -- Every posting function takes this lock's counterpart before it looks at the periods.
    LOCK TABLE ledger_transfer IN SHARE MODE;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_wait_for_postings() FROM PUBLIC;
"""
DROP = """
DROP FUNCTION ledger_wait_for_postings();
DROP FUNCTION ledger_lock_balances(uuid[]);
DROP FUNCTION ledger_set_open(uuid, boolean);
DROP FUNCTION ledger_open_accounts(uuid[], uuid[], text[], uuid[], timestamptz, uuid);
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0004_guards")]
    operations = [migrations.RunSQL(CREATE, DROP)]
