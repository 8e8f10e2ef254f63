"""`manage.py recount --organization SUBDOMAIN|--all [--repair]`: is the rollup what facts give?"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.access.actors import system_actor
from tenant_apps.dashboards.recounting import differences
from tenant_apps.dashboards.services import repair_rollup
from tenants.context import tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain, served_organizations

_SHOWN = 20


class Command(BaseCommand):
    help = "Counts the dashboards' figures anew from the facts and says what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--organization", metavar="SUBDOMAIN")
        which.add_argument("--all", action="store_true")
        parser.add_argument("--repair", action="store_true", help="put right what differs")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for organization in self._organizations(options):
            with tenant_context(organization):
                if options["repair"]:
                    found = repair_rollup(actor=system_actor("recount"))
                else:
                    found = differences()
            wrong += len(found)
            self.stdout.write(f"{organization.name}: {len(found) or 'no'} differences")
            for difference in found[:_SHOWN]:
                self.stdout.write(
                    f"  {difference.key}: kept {difference.kept}, counted {difference.counted}"
                )
        if wrong and options["repair"]:
            self.stdout.write(f"{wrong} figures were put right.")
        elif wrong:
            raise CommandError(f"{wrong} figures are not what the facts give.")

    def _organizations(self, options: dict[str, Any]) -> list[Organization]:
        if options["all"]:
            return list(served_organizations())
        try:
            return [organization_by_subdomain(options["organization"])]
        except Organization.DoesNotExist as unknown:
            raise CommandError(f"Nobody answers at {options['organization']}.") from unknown
