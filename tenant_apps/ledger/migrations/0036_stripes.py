"""An account that everybody posts to may spread over several balances."""

from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    dependencies = [("ledger", "0050_settling_functions")]
    operations = [
        migrations.AlterModelOptions(
            name="account",
            options={
                "default_permissions": ("view", "add"),
                "ordering": ("code", "currency", "id"),
                "permissions": (
                    ("close_account", "Can close and reopen a line of the chart"),
                    ("stripe_account", "Can spread the accounts of a line over stripes"),
                ),
            },
        ),
        migrations.AddField(
            model_name="account",
            name="stripes",
            field=models.PositiveSmallIntegerField(default=1, db_default=1),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                name="ledger_account_stripes",
                condition=Q(stripes=1) | Q(stripes__range=(2, 64), subledger=""),
            ),
        ),
        migrations.RemoveConstraint(model_name="transfer", name="ledger_transfer_sound"),
        migrations.AddConstraint(
            model_name="transfer",
            constraint=models.CheckConstraint(
                name="ledger_transfer_sound",
                condition=Q(amount_minor__gt=0)
                & (~Q(debit_account=F("credit_account")) | Q(kind="gathering"))
                & (Q(reverses_id__isnull=True) | Q(kind="reversal")),
            ),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(
                max_length=12,
                choices=[
                    ("posting", "Posting"),
                    ("manual", "Manual journal"),
                    ("opening", "Opening balance"),
                    ("reversal", "Reversal"),
                    ("gathering", "Gathering of an account's stripes"),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="statementline",
            name="kind",
            field=models.CharField(
                max_length=12,
                choices=[
                    ("posting", "Posting"),
                    ("manual", "Manual journal"),
                    ("opening", "Opening balance"),
                    ("reversal", "Reversal"),
                    ("gathering", "Gathering of an account's stripes"),
                ],
            ),
        ),
    ]
