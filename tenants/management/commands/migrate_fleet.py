from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tenants.fleet import FleetIsBehind, migrate_fleet


class Command(BaseCommand):
    help = "Migrates the public schema, every organization's schema, and the spare schemas."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            migrate_fleet(progress=lambda line: self.stdout.write(f"migrating {line}"))
        except FleetIsBehind as problem:
            raise CommandError(str(problem)) from None
