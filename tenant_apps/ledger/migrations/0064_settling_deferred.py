"""A settlement reads the credits that were counted later where they were counted.

The function's text is the one that stands, with the credit's version and balance looked up beside
the transfer: row by row, like every table there.
"""

from importlib import import_module

from django.db import migrations

_WHOLE: str = import_module("tenant_apps.ledger.migrations.0050_settling_functions").CREATE
_FROM = _WHOLE.index("CREATE FUNCTION ledger_settle(")
FORMER = _WHOLE[_FROM : _WHOLE.index("$body$;\n", _FROM) + len("$body$;\n")].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1
)

CHANGES = (
    (
        """
    SELECT t.*, least(greatest(t.posted_at, $4), $5) AS recorded_at
      FROM moved m
""",
        """
    SELECT t.*, least(greatest(t.posted_at, $4), $5) AS recorded_at,
           coalesce(t.credit_version, f.version) AS credited_version,
           coalesce(t.credit_balance, f.balance) AS credited_balance
      FROM moved m
""",
    ),
    (
        """
              AND t.debit_version > m.settled AND t.debit_version <= m.version OFFSET 0) AS t
""",
        """
              AND t.debit_version > m.settled AND t.debit_version <= m.version OFFSET 0) AS t
      LEFT JOIN LATERAL (
           SELECT f.version, f.balance FROM ledger_foldedcredit f
            WHERE t.credit_version IS NULL AND f.transfer_id = t.id OFFSET 0) AS f ON true
""",
    ),
    (
        """
    SELECT m.account_id, m.stripe, m.line_id, m.currency, k.credit_version,
           k.credit_balance,""",
        """
    SELECT m.account_id, m.stripe, m.line_id, m.currency, k.credited_version,
           k.credited_balance,""",
    ),
    (
        """
    SELECT d.account_id, d.stripe, d.last_snapshot, t.credit_version, t.credit_balance,
""",
        """
    SELECT d.account_id, d.stripe, d.last_snapshot, t.version, t.balance,
""",
    ),
    (
        """
           SELECT * FROM ledger_transfer t
            WHERE t.credit_account_id = d.account_id AND t.credit_stripe = d.stripe
              AND t.credit_version <= d.unread OFFSET 0) AS t
""",
        """
           SELECT * FROM ledger_creditside t
            WHERE t.account_id = d.account_id AND t.stripe = d.stripe
              AND t.version <= d.unread OFFSET 0) AS t
""",
    ),
)


def _changed() -> str:
    text = FORMER
    for former, present in CHANGES:
        if text.count(former) != 1:
            raise RuntimeError(f"The settlement's function has no single {former!r}.")
        text = text.replace(former, present)
    return text


class Migration(migrations.Migration):
    dependencies = [("ledger", "0063_post_many_deferred")]
    operations = [migrations.RunSQL(_changed(), FORMER)]
