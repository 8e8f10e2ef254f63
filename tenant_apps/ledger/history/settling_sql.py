"""What a settlement asks: which balances and credit lines have versions that are not settled.

And for which balances credits of which transfers wait: they are seen too, by their debits.

The list is what two database functions write the snapshots from (`ledger_lock_settlement` and
`ledger_settle`, in the migrations). They need not run in the same snapshot of the database: what
these statements saw was committed, both sides of each transfer.
"""

LOCK = "SELECT until FROM ledger_lock_settlement(%s::smallint)"

MOVED = """
SELECT b.account_id, b.stripe, b.version, w.transfer_ids
  FROM ledger_balance b
  LEFT JOIN ledger_settledposition p ON p.account_id = b.account_id AND p.stripe = b.stripe
  LEFT JOIN (SELECT account_id, array_agg(transfer_id) AS transfer_ids
               FROM ledger_deferredcredit GROUP BY account_id) w
    ON w.account_id = b.account_id AND b.stripe = 0
 WHERE b.version > coalesce(p.version, 0) OR w.transfer_ids IS NOT NULL
"""

# The same for credit lines, whose entries have versions too. They have no snapshots.
MOVED_CREDIT = """
SELECT c.id, c.version
  FROM ledger_creditline c LEFT JOIN ledger_settledcreditline p ON p.line_id = c.id
 WHERE c.version > coalesce(p.version, 0)
"""

SETTLE = """
SELECT ledger_settle(
    %(accounts)s::uuid[], %(stripes)s::smallint[], %(versions)s::bigint[], %(lines)s::uuid[],
    %(line_versions)s::bigint[], %(until)s, %(deep)s, %(block)s, %(segment)s)
"""
