from typing import Any

from django.core.management.base import BaseCommand

from tenants.fleet import migrate_fleet


class Command(BaseCommand):
    help = "Migrates the public schema, every organization's schema, and the spare schemas."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        migrate_fleet(progress=lambda line: self.stdout.write(f"migrating {line}"))
