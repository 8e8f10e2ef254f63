"""An account's statement as a view: each transfer as either of its two accounts sees it.

The account's condition goes down into both halves, so that a page is two index scans merged.
It reads with the rights of whoever asks.
"""

from django.db import migrations

CREATE = """
CREATE VIEW ledger_statementline WITH (security_invoker = true) AS
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


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_hot_balances")]
    operations = [migrations.RunSQL(CREATE, "DROP VIEW ledger_statementline")]
