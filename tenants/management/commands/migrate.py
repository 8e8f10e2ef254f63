from django.db.migrations.autodetector import MigrationAutodetector

from tenants.management.closed import ClosedCommand


class Command(ClosedCommand):
    remedy = "use migrate_fleet: it migrates public, every organization and the spare schemas."
    # Django's own checks compare it with that of makemigrations.
    autodetector = MigrationAutodetector
