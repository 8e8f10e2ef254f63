"""`manage.py load_exchange_rates FILE`: dated rates from a table of the European Central Bank."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shared_apps.reference.errors import UnreadableRates
from shared_apps.reference.services import Loaded, load_rates
from tenants.context import platform_context


class Command(BaseCommand):
    help = "Load exchange rates from a CSV table: a Date column, then one column per currency."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="the table, or - for standard input")
        parser.add_argument("--source", default="ECB", help="who published it (ECB)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            loaded = self._load(options["file"], source=options["source"])
        except OSError as problem:
            raise CommandError(f"cannot read {options['file']}: {problem.strerror}") from problem
        except (UnreadableRates, UnicodeDecodeError) as problem:
            raise CommandError(f"nothing was loaded: {problem}") from problem
        self.stdout.write(
            f"{loaded.days} days: {loaded.added} rates added, {loaded.known} known,"
            f" {loaded.differing} kept although the table differs"
        )

    def _load(self, file: str, *, source: str) -> Loaded:
        with platform_context(reason="load exchange rates"):
            if file == "-":
                return load_rates(lines=sys.stdin, source=source, progress=self._say)
            with Path(file).open(encoding="utf-8-sig", newline="") as lines:
                return load_rates(lines=lines, source=source, progress=self._say)

    def _say(self, rates: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{rates} rates read", ending="\r")
