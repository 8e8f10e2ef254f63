"""Commands of the tenancy library that go round our walls."""

from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.db.migrations.autodetector import MigrationAutodetector


class ClosedCommand(BaseCommand):
    """Stands where a library's command would, and refuses."""

    help = "Closed."
    # Django's own check compares that of `migrate` with that of `makemigrations`.
    autodetector = MigrationAutodetector
    remedy = "Organizations sign up; see tenants/README.md."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("anything", nargs="*")

    def run_from_argv(self, argv: list[str]) -> None:
        self.execute()

    def execute(self, *args: Any, **options: Any) -> NoReturn:
        raise SystemExit(str(CommandError(f"closed: {self.remedy}")))
