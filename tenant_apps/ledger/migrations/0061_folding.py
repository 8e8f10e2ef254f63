"""A fold: what waits for an account is counted, in the order of the transfers' ids.

Everything of it happens under the lock of the account's balance and in one statement, so that two
folders queue, and one that is killed has done nothing. It takes the locks that a posting takes, in
the same order: the tables first, for whoever closes a period or a line of the chart, and then one
balance and nothing after it.

The views show the credit of a transfer that was counted later where they show one that was counted
at once. In a statement, each column of such a line is looked up by itself: a join would lose the
order of the index, and a page would read the whole account.
"""

from django.db import migrations

FOLD = """
CREATE FUNCTION ledger_lock_for_counting(p_accounts uuid[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $body$
DECLARE
    v_locked integer;
BEGIN
    -- Before the rows: whoever waits for all postings is not met while somebody waits for a row.
    LOCK TABLE ledger_balance IN ROW EXCLUSIVE MODE;
    LOCK TABLE ledger_deferredcredit IN ROW EXCLUSIVE MODE;
    v_locked := ledger_lock_balances(p_accounts);
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_for_counting(uuid[]) FROM PUBLIC;

CREATE FUNCTION ledger_fold(p_account uuid, p_limit integer, p_only uuid[] DEFAULT NULL)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $body$
-- Counts at most `p_limit` credits (of the transfers `p_only`, where given); answers how many.
DECLARE
    v_folded integer;
    v_writer text;
BEGIN
    PERFORM ledger_lock_for_counting(ARRAY[p_account]);
    v_writer := set_config('ledger.writer', 'on', true);
    WITH taken AS (
        DELETE FROM ledger_deferredcredit d
         WHERE d.account_id = p_account
           AND d.transfer_id <= coalesce(
                   (SELECT l.transfer_id FROM ledger_deferredcredit l
                     WHERE l.account_id = p_account
                       AND (p_only IS NULL OR l.transfer_id = ANY (p_only))
                     ORDER BY l.transfer_id OFFSET p_limit - 1 LIMIT 1),
                   'ffffffff-ffff-ffff-ffff-ffffffffffff')
           AND (p_only IS NULL OR d.transfer_id = ANY (p_only))
        RETURNING d.transfer_id, d.amount_minor
    ), place AS MATERIALIZED (
        SELECT t.transfer_id, row_number() OVER w AS number, sum(t.amount_minor) OVER w AS amount
          FROM taken t WINDOW w AS (ORDER BY t.transfer_id ROWS UNBOUNDED PRECEDING)
    ), folded AS (
        INSERT INTO ledger_foldedcredit (transfer_id, account_id, version, balance, stripe)
        SELECT p.transfer_id, b.account_id, b.version + p.number,
               b.posted - b.direction * p.amount, b.stripe
          FROM ledger_balance b CROSS JOIN place p
         WHERE b.account_id = p_account AND b.stripe = 0
    ), total AS (
        SELECT count(*) AS number, sum(amount_minor) AS amount FROM taken
    ), counted AS (
        UPDATE ledger_balance b
           SET posted = b.posted - b.direction * t.amount, version = b.version + t.number
          FROM total t
         WHERE b.account_id = p_account AND b.stripe = 0 AND t.number > 0
    )
    SELECT number INTO v_folded FROM total;
    v_writer := set_config('ledger.writer', '', true);
    RETURN v_folded;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_fold(uuid, integer, uuid[]) FROM PUBLIC;

CREATE FUNCTION ledger_lock_line(p_line uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '200ms' AS $body$
-- For whoever closes or opens a line of the chart: nothing more is posted to its accounts for now.
-- A transaction that posts several times may hold one of these locks and want another, in either
-- order. So none of them is kept while the next is not free: before the server would look for a
-- deadlock all are given back, and taken again after a pause in which the others go on.
DECLARE
    v_locked integer;
BEGIN
    FOR v_try IN 1..20 LOOP
        BEGIN
            -- Against those who credit later; and of those who close a line, one at a time, for
            -- all of them count what waits under this lock.
            LOCK TABLE ledger_deferredcredit IN SHARE ROW EXCLUSIVE MODE;
            LOCK TABLE ledger_balance IN ROW EXCLUSIVE MODE;
            PERFORM FROM ledger_account a WHERE a.id = p_line FOR NO KEY UPDATE;
            SELECT ledger_lock_balances(array_agg(a.id)) INTO v_locked
              FROM ledger_account a WHERE a.parent_id = p_line;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            IF v_try = 20 THEN
                RAISE;
            END IF;
        END;
        PERFORM pg_sleep(0.03 + 0.04 * random());
    END LOOP;
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_lock_line(uuid) FROM PUBLIC;
"""
DROP_FOLD = """
DROP FUNCTION ledger_lock_line(uuid);
DROP FUNCTION ledger_fold(uuid, integer, uuid[]);
DROP FUNCTION ledger_lock_for_counting(uuid[]);
"""

LINES_AT_ONCE = """
CREATE OR REPLACE VIEW ledger_statementline WITH (security_invoker = true) AS
SELECT t.debit_account_id AS account_id, t.debit_stripe AS stripe, t.debit_version AS version,
       'debit' AS side, t.id AS transfer_id, t.amount_minor, t.debit_balance AS balance_minor,
       t.currency, t.credit_account_id AS other_account_id, t.journal_id, t.effective_on,
       t.posted_at, t.kind, t.rule, t.source_type, t.source_id, t.memo
  FROM ledger_transfer t
UNION ALL
SELECT t.credit_account_id, t.credit_stripe, t.credit_version,
       'credit', t.id, t.amount_minor, t.credit_balance,
       t.currency, t.debit_account_id, t.journal_id, t.effective_on,
       t.posted_at, t.kind, t.rule, t.source_type, t.source_id, t.memo
  FROM ledger_transfer t
"""
LINES = """
CREATE OR REPLACE VIEW ledger_statementline WITH (security_invoker = true) AS
SELECT t.debit_account_id AS account_id, t.debit_stripe AS stripe, t.debit_version AS version,
       'debit' AS side, t.id AS transfer_id, t.amount_minor, t.debit_balance AS balance_minor,
       t.currency, t.credit_account_id AS other_account_id, t.journal_id, t.effective_on,
       t.posted_at, t.kind, t.rule, t.source_type, t.source_id, t.memo
  FROM ledger_transfer t
UNION ALL
SELECT t.credit_account_id, t.credit_stripe, t.credit_version,
       'credit', t.id, t.amount_minor, t.credit_balance,
       t.currency, t.debit_account_id, t.journal_id, t.effective_on,
       t.posted_at, t.kind, t.rule, t.source_type, t.source_id, t.memo
  FROM ledger_transfer t
UNION ALL
SELECT f.account_id, f.stripe, f.version, 'credit', f.transfer_id,
       (SELECT t.amount_minor FROM ledger_transfer t WHERE t.id = f.transfer_id), f.balance,
       (SELECT t.currency FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.debit_account_id FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.journal_id FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.effective_on FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.posted_at FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.kind FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.rule FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.source_type FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.source_id FROM ledger_transfer t WHERE t.id = f.transfer_id),
       (SELECT t.memo FROM ledger_transfer t WHERE t.id = f.transfer_id)
  FROM ledger_foldedcredit f
"""
CREDITS = """
CREATE VIEW ledger_creditside WITH (security_invoker = true) AS
SELECT t.credit_account_id AS account_id, t.credit_stripe AS stripe, t.credit_version AS version,
       t.credit_balance AS balance, t.id, t.amount_minor, t.effective_on, t.posted_at
  FROM ledger_transfer t
UNION ALL
SELECT f.account_id, f.stripe, f.version, f.balance, f.transfer_id,
       t.amount_minor, t.effective_on, t.posted_at
  FROM ledger_foldedcredit f
 CROSS JOIN LATERAL (
       SELECT * FROM ledger_transfer t WHERE t.id = f.transfer_id OFFSET 0) AS t
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0060_deferral")]
    operations = [
        migrations.RunSQL(FOLD, DROP_FOLD),
        migrations.RunSQL(LINES, LINES_AT_ONCE),
        migrations.RunSQL(CREDITS, "DROP VIEW ledger_creditside"),
    ]
