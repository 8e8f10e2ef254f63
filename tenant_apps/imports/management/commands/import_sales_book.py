"""`manage.py import_sales_book --organization SUBDOMAIN --verifier EMAIL DIRECTORY`."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.errors import DomainError
from tenant_apps.imports.services import import_sales_book
from tenants.context import tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain


class Command(BaseCommand):
    help = "Imports a CRM export (teams, accounts, products, opportunities) into an organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path)
        parser.add_argument("--organization", required=True, metavar="SUBDOMAIN")
        parser.add_argument(
            "--verifier", required=True, metavar="EMAIL", help="who verifies the payments"
        )
        parser.add_argument(
            "--mail-domain",
            help="addresses are made of names and this domain (default: SUBDOMAIN.invalid)",
        )
        parser.add_argument(
            "--report", type=Path, help="where to write the CSV of mended and refused rows"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        subdomain = options["organization"].lower()
        try:
            organization = organization_by_subdomain(subdomain)
        except Organization.DoesNotExist:
            raise CommandError(f"there is no organization {subdomain!r}") from None
        moment = f"{clock.now():%Y%m%d-%H%M%S}"
        path = Path(
            options["report"] or settings.STATE_DIR / "imports" / f"{subdomain}-{moment}.csv"
        )
        with tenant_context(organization):
            try:
                run = import_sales_book(
                    actor=system_actor("import", quiet=True),
                    verifier_email=options["verifier"],
                    verifier_actor=lambda user: actor_for_user(user_id=user.pk),
                    directory=Path(options["directory"]),
                    mail_domain=options["mail_domain"] or f"{subdomain}.invalid",
                    report=path,
                    progress=self._progress(time.monotonic()),
                )
            except DomainError as error:
                raise CommandError(str(error)) from None
        for name, count in run.counts.items():
            self.stdout.write(f"{name:<10} {count:>8,}")
        self.stdout.write(f"report     {path}")

    def _progress(self, started: float) -> Any:
        def say(line: str) -> None:
            self.stdout.write(f"[{time.monotonic() - started:6.1f} s] {line}")
            self.stdout.flush()

        return say
