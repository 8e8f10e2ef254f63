from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.kernel.error_pages import errors_page


class Command(BaseCommand):
    help = "Writes docs/errors.md from the failures that the code declares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="Write nothing; fail when the page is old."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        page = Path(settings.BASE_DIR) / "docs" / "errors.md"
        text = errors_page()
        if options["check"]:
            if not page.exists() or page.read_text() != text:
                raise CommandError("docs/errors.md is old: run manage.py document_errors")
            return
        page.parent.mkdir(exist_ok=True)
        page.write_text(text)
        self.stdout.write(f"Wrote {page}")
