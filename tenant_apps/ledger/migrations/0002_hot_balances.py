"""Balances are updated in place at every posting: room on each page, and a vacuum that keeps up.

With PostgreSQL's defaults a hot row collects dead versions until each update is ten times slower.
"""

from django.db import migrations

TUNE = """
ALTER TABLE ledger_balance SET (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_cost_delay = 0
)
"""
UNTUNE = """
ALTER TABLE ledger_balance RESET (
    fillfactor,
    autovacuum_vacuum_scale_factor,
    autovacuum_vacuum_threshold,
    autovacuum_vacuum_cost_delay
)
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]
    operations = [migrations.RunSQL(TUNE, UNTUNE)]
