"""Half the price of a posting was walls that PostgreSQL builds anew for every statement.

Each check constraint of a table is parsed and planned again by every statement that writes it, and
so is the condition of a statement trigger. What eleven checks said, three say now; whether a
balance runs in its account's direction is fixed by the function that opens it and read by
`verify_books`. The guards' triggers stand where one login does everything; where the organization
has a role of its own, which may only read these tables, they are switched off (`tenants.roles`).
"""

from django.db import migrations, models
from django.db.models import F, Q

DROPPED_CHECKS = """
ALTER TABLE ledger_balance DROP CONSTRAINT IF EXISTS ledger_balance_stripe_check;
ALTER TABLE ledger_transfer DROP CONSTRAINT IF EXISTS ledger_transfer_leg_check;
ALTER TABLE ledger_transfer DROP CONSTRAINT IF EXISTS ledger_transfer_debit_stripe_check;
ALTER TABLE ledger_transfer DROP CONSTRAINT IF EXISTS ledger_transfer_credit_stripe_check;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0021_credit_line_positions")]
    operations = [
        migrations.RemoveConstraint(model_name="balance", name="ledger_balance_direction"),
        migrations.RemoveConstraint(model_name="balance", name="ledger_balance_held"),
        migrations.RemoveConstraint(model_name="balance", name="ledger_balance_floor"),
        migrations.AddConstraint(
            model_name="balance",
            constraint=models.CheckConstraint(
                name="ledger_balance_floor",
                condition=Q(held__gte=0) & Q(floor__lte=F("posted") - F("held")),
            ),
        ),
        migrations.RemoveConstraint(model_name="transfer", name="ledger_transfer_amount"),
        migrations.RemoveConstraint(model_name="transfer", name="ledger_transfer_two_accounts"),
        migrations.RemoveConstraint(model_name="transfer", name="ledger_transfer_reversal"),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                name="ledger_transfer_sound",
                condition=Q(amount_minor__gt=0)
                & ~Q(debit_account=F("credit_account"))
                & (Q(reverses_id__isnull=True) | Q(kind="reversal")),
            ),
        ),
        migrations.AlterField(
            model_name="balance", name="stripe", field=models.SmallIntegerField(default=0)
        ),
        migrations.AlterField(model_name="transfer", name="leg", field=models.SmallIntegerField()),
        migrations.AlterField(
            model_name="transfer", name="debit_stripe", field=models.SmallIntegerField(default=0)
        ),
        migrations.AlterField(
            model_name="transfer", name="credit_stripe", field=models.SmallIntegerField(default=0)
        ),
        migrations.RunSQL(DROPPED_CHECKS, migrations.RunSQL.noop),
    ]
