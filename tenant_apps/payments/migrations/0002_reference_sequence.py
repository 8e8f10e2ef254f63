from django.db import migrations


class Migration(migrations.Migration):
    """The sequence of TXN-0001: in the organization's own schema, as its table is."""

    dependencies = [("payments", "0001_payments_and_allocations")]

    operations = [
        migrations.RunSQL(
            sql="CREATE SEQUENCE payments_reference_seq AS bigint",
            reverse_sql="DROP SEQUENCE payments_reference_seq",
        )
    ]
