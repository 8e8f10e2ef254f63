from django.db import migrations


class Migration(migrations.Migration):
    """The sequence of DLID0001: in the organization's own schema, as its table is."""

    dependencies = [("deals", "0001_deals_stages_and_activities")]

    operations = [
        migrations.RunSQL(
            sql="CREATE SEQUENCE deals_reference_seq AS bigint",
            reverse_sql="DROP SEQUENCE deals_reference_seq",
        )
    ]
