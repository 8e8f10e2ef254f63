"""Postings queue for a shared balance at an advisory lock, not at its row.

Who waits for a row is woken, finds a newer version, waits again for whoever came in between, and
reads its statement's conditions once more. Behind an advisory lock it finds the row free. So a row
whose account has a lock rank is locked only by those who hold its advisory lock: one order for
everybody, in `ledger_lock_rows` and in the function for one transfer.

Who closes a period waits at the balances, which every posting changes first: that lock comes with
the update, where one on the transfers had to be asked for.
"""

from django.db import migrations

CREATE = """
CREATE OR REPLACE FUNCTION ledger_lock_rows(p_accounts uuid[], p_stripes smallint[]) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
-- The one order of locks: what belongs to one party by id; then, by rank and id, what everybody
-- shares, each row behind its advisory lock. Answers how many rows there are.
DECLARE
    v_own integer;
    v_shared integer;
BEGIN
    PERFORM FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
      WHERE (b.account_id, b.stripe) IN (SELECT * FROM unnest(p_accounts, p_stripes))
        AND a.lock_rank = 0
      ORDER BY b.account_id, b.stripe
        FOR NO KEY UPDATE OF b;
    GET DIAGNOSTICS v_own = ROW_COUNT;
    -- Advisory locks belong to the whole database: the table's number keeps schemas apart.
    PERFORM pg_advisory_xact_lock(uuid_hash_extended(
                s.account_id, 'ledger_balance'::regclass::oid::bigint * 65536 + s.stripe))
       FROM (SELECT DISTINCT a.lock_rank, r.account_id, r.stripe
               FROM unnest(p_accounts, p_stripes) AS r(account_id, stripe)
               JOIN ledger_account a ON a.id = r.account_id
              WHERE a.lock_rank > 0
              ORDER BY 1, 2, 3) AS s;
    PERFORM FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id
      WHERE (b.account_id, b.stripe) IN (SELECT * FROM unnest(p_accounts, p_stripes))
        AND a.lock_rank > 0
      ORDER BY a.lock_rank, b.account_id, b.stripe
        FOR NO KEY UPDATE OF b;
    GET DIAGNOSTICS v_shared = ROW_COUNT;
    RETURN v_own + v_shared;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_rows(uuid[], smallint[]) FROM PUBLIC;

CREATE OR REPLACE FUNCTION ledger_lock_balances(p_accounts uuid[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_count integer;
BEGIN
    SELECT ledger_lock_rows(array_agg(b.account_id), array_agg(b.stripe)) INTO v_count
      FROM ledger_balance b WHERE b.account_id = ANY (p_accounts);
    RETURN coalesce(v_count, 0);
END
$body$;

CREATE OR REPLACE FUNCTION ledger_lock_holds(p_holds uuid[], p_accounts uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $body$
DECLARE
    v_held_on uuid[];
    v_locked integer;
BEGIN
    PERFORM FROM ledger_hold h WHERE h.id = ANY (p_holds) ORDER BY h.id FOR NO KEY UPDATE;
    SELECT array_agg(h.account_id) INTO v_held_on FROM ledger_hold h WHERE h.id = ANY (p_holds);
    v_locked := ledger_lock_balances(p_accounts || v_held_on);
END
$body$;

CREATE OR REPLACE FUNCTION ledger_wait_for_postings() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
BEGIN
    -- Every posting function takes this lock's counterpart before it looks at the periods.
    -- The second waits for those who post by older functions, while a release is installed.
    LOCK TABLE ledger_balance, ledger_transfer IN SHARE MODE;
END
$body$;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0032_walls_that_cost_less")]
    # Backwards, these texts serve as well: they ask for nothing that is not there.
    operations = [migrations.RunSQL(CREATE, migrations.RunSQL.noop)]
