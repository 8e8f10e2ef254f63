from django.db import migrations

SEQUENCES = ("seller", "deposit", "transfer", "sale", "batch", "reconciliation")


class Migration(migrations.Migration):
    """The sequences of SEL-0001 and the others: in the organization's own schema."""

    dependencies = [("wallets", "0001_sellers_and_deposits")]

    operations = [
        migrations.RunSQL(
            sql=f"CREATE SEQUENCE wallets_{name}_seq AS bigint",
            reverse_sql=f"DROP SEQUENCE wallets_{name}_seq",
        )
        for name in SEQUENCES
    ]
