"""Bring the standard roles of organizations in line with the code."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.access import services
from shared_apps.access.actors import system_actor
from tenants import selectors as tenants
from tenants.context import platform_context, tenant_context


class Command(BaseCommand):
    help = "Sync the standard roles and their permissions; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--organization", metavar="SUBDOMAIN")
        chosen.add_argument("--all", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        with platform_context(reason="choose the organizations whose roles are synced"):
            if options["all"]:
                organizations = list(tenants.active_organizations())
            else:
                found = tenants.organization_by_subdomain(options["organization"])
                if found is None:
                    raise CommandError(f"There is no organization {options['organization']}.")
                organizations = [found]
        for organization in organizations:
            with tenant_context(organization):
                changes = services.sync_standard_roles(actor=system_actor("setup_permissions"))
            self.stdout.write(f"{organization.name}: {len(changes)} changes")
            for change in changes:
                self.stdout.write(f"  {change}")
