"""`manage.py show_backlog [--organization SUBDOMAIN] [--retry]`: news that is late or given up."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shared_apps.outbox.selectors import backlog, given_up_messages
from shared_apps.outbox.services import retry_given_up
from tenants.context import platform_context, tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain, served_organizations

_SHOWN = 20


class Command(BaseCommand):
    help = "Show which news waits, fails or was given up, everywhere or in one organization."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--organization", metavar="SUBDOMAIN")
        parser.add_argument("--retry", action="store_true", help="try again what was given up")

    def handle(self, *args: Any, **options: Any) -> None:
        subdomain = options["organization"]
        if subdomain:
            try:
                organizations = [organization_by_subdomain(subdomain)]
            except Organization.DoesNotExist as problem:
                raise CommandError(f"nobody answers at {subdomain}") from problem
        else:
            organizations = list(served_organizations())
            with platform_context(reason="show the backlog"):
                self._show("platform", retry=options["retry"])
        for organization in organizations:
            with tenant_context(organization):
                self._show(organization.name, retry=options["retry"])

    def _show(self, name: str, *, retry: bool) -> None:
        now = backlog()
        self.stdout.write(
            f"{name}: {now.waiting} waiting, {now.failing} of them failing, {now.given_up} given up"
        )
        for message in given_up_messages()[:_SHOWN]:
            error = message.last_error.replace("\n", "; ")
            self.stdout.write(f"  {message.pk} {message.event_name}: {error}")
        if retry and now.given_up:
            ids = list(given_up_messages().values_list("pk", flat=True))
            self.stdout.write(f"  trying {retry_given_up(message_ids=ids)} again")
