from django.db import migrations


class Migration(migrations.Migration):
    """The organization's own rows change with every payment: leave them room beside the old
    version, and clear the old versions early."""

    dependencies = [("dashboards", "0001_rollup")]

    operations = [
        migrations.RunSQL(
            sql="""
                ALTER TABLE dashboards_rollup SET (
                    fillfactor = 70,
                    autovacuum_vacuum_scale_factor = 0,
                    autovacuum_vacuum_threshold = 2000,
                    autovacuum_vacuum_cost_delay = 0
                )
            """,
            reverse_sql="""
                ALTER TABLE dashboards_rollup RESET (
                    fillfactor,
                    autovacuum_vacuum_scale_factor,
                    autovacuum_vacuum_threshold,
                    autovacuum_vacuum_cost_delay
                )
            """,
        )
    ]
