"""Bring the standard roles of organizations in line with the code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.access import services
from shared_apps.access.actors import system_actor
from tenants.context import tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain, served_organizations


class Command(BaseCommand):
    help = "Sync the standard roles and their permissions; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--organization", metavar="SUBDOMAIN")
        chosen.add_argument("--all", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        for organization in self._chosen(options):
            with tenant_context(organization):
                changes = services.sync_standard_roles(actor=system_actor("setup_permissions"))
            self.stdout.write(f"{organization.name}: {len(changes)} changes")
            for change in changes:
                self.stdout.write(f"  {change}")

    def _chosen(self, options: dict[str, Any]) -> Iterable[Organization]:
        if options["all"]:
            return served_organizations()
        try:
            return [organization_by_subdomain(options["organization"])]
        except Organization.DoesNotExist:
            raise CommandError(f"There is no organization {options['organization']}.") from None
