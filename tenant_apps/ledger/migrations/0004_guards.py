"""What the database refuses, whoever asks: balances and transfers change by the functions alone.

Where each organization has a database role, the role may only read both tables. These triggers
say the same where one login does everything. They only raise and read no table. The functions
announce themselves in a setting that lasts for one call.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION ledger_refuse_write() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION '% is written by the posting functions alone', TG_TABLE_NAME
        USING ERRCODE = '42501';
END
$body$;
REVOKE EXECUTE ON FUNCTION ledger_refuse_write() FROM PUBLIC;

CREATE TRIGGER ledger_balance_guard
    BEFORE INSERT OR UPDATE OR DELETE ON ledger_balance FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_balance_truncate
    BEFORE TRUNCATE ON ledger_balance FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_transfer_guard
    BEFORE INSERT ON ledger_transfer FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_transfer_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer FOR EACH STATEMENT
    EXECUTE FUNCTION ledger_refuse_write();
"""
DROP = """
DROP TRIGGER ledger_transfer_append_only ON ledger_transfer;
DROP TRIGGER ledger_transfer_guard ON ledger_transfer;
DROP TRIGGER ledger_balance_truncate ON ledger_balance;
DROP TRIGGER ledger_balance_guard ON ledger_balance;
DROP FUNCTION ledger_refuse_write();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_statement_view")]
    operations = [migrations.RunSQL(CREATE, DROP)]
