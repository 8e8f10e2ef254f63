"""`manage.py verify_platform`: read the platform's own sealed log, say what is wrong."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shared_apps.seals.platform import verify_platform


class Command(BaseCommand):
    help = "Verify the seals of the platform's own audit log. Exit code 1 where a row is altered."

    def handle(self, *args: Any, **options: Any) -> None:
        results = verify_platform()
        for result in results:
            self.stdout.write(
                f"platform, {result.chain}: {result.rows} rows in {result.segments} segments,"
                f" {result.waiting} not sealed yet: {'hold' if result.holds else 'DO NOT HOLD'}"
            )
            for finding in result.findings:
                place = f"segment {finding.segment}" if finding.segment else "no segment"
                row = f", row {finding.row_id}" if finding.row_id else ""
                self.stdout.write(f"  {finding.wrong}: {place}{row}: {finding.detail}")
        if not all(result.holds for result in results):
            raise CommandError("the platform's log is not what was sealed", returncode=1)
