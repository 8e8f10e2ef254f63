"""Lines of the chart whose credits are counted later, what waits, and what was counted.

What waits is written and deleted at the rate of the postings, so its vacuum keeps up.
"""

from django.db import migrations, models
from django.db.models import Q

import shared_apps.kernel.fields

TUNE = """
ALTER TABLE ledger_deferredcredit SET (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 20000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE TRIGGER ledger_deferredcredit_guard
    BEFORE INSERT OR UPDATE OR DELETE ON ledger_deferredcredit FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_deferredcredit_truncate
    BEFORE TRUNCATE ON ledger_deferredcredit FOR EACH STATEMENT
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_foldedcredit_guard
    BEFORE INSERT ON ledger_foldedcredit FOR EACH STATEMENT
    WHEN (coalesce(current_setting('ledger.writer', true), '') <> 'on')
    EXECUTE FUNCTION ledger_refuse_write();
CREATE TRIGGER ledger_foldedcredit_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_foldedcredit FOR EACH STATEMENT
    EXECUTE FUNCTION ledger_refuse_write()
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0053_journal_metadata")]
    operations = [
        migrations.CreateModel(
            name="DeferredCredit",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "account_id",
                        "transfer_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("account_id", models.UUIDField()),
                ("transfer_id", models.UUIDField()),
                ("amount_minor", shared_apps.kernel.fields.MinorUnitsField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="FoldedCredit",
            fields=[
                ("transfer_id", models.UUIDField(primary_key=True, serialize=False)),
                ("account_id", models.UUIDField()),
                ("version", models.BigIntegerField()),
                ("balance", shared_apps.kernel.fields.MinorUnitsField()),
                ("stripe", models.SmallIntegerField(default=0)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=["account_id", "stripe", "version"],
                        name="ledger_foldedcredit_version",
                    )
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="account",
            options={
                "default_permissions": ("view", "add"),
                "ordering": ("code", "currency", "id"),
                "permissions": (
                    ("close_account", "Can close and reopen a line of the chart"),
                    ("stripe_account", "Can spread the accounts of a line over stripes"),
                    ("defer_account", "Can let credits of a line of the chart be counted later"),
                ),
            },
        ),
        migrations.AddField(
            model_name="account",
            name="deferred",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                name="ledger_account_deferred",
                condition=Q(deferred=False)
                | Q(currency__isnull=True, floor__isnull=True, subledger=""),
            ),
        ),
        # Backwards, the triggers and settings go with the tables.
        migrations.RunSQL(TUNE, migrations.RunSQL.noop),
    ]
