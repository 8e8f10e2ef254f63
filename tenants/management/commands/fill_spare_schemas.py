from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from tenants.fleet import fill_pool


class Command(BaseCommand):
    help = "Builds spare schemas until the pool is full."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=settings.SPARE_SCHEMAS)

    def handle(self, *args: Any, **options: Any) -> None:
        built = fill_pool(
            wanted=options["count"], progress=lambda line: self.stdout.write(f"built {line}")
        )
        self.stdout.write(f"{built} built, {options['count']} wait")
