from tenants.management.closed import ClosedCommand


class Command(ClosedCommand):
    remedy = "use migrate_fleet: it migrates public, every organization and the spare schemas."
