"""`manage.py watch_invariants --organization SUBDOMAIN | --all [--sweep]`: run the watch now."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shared_apps.access.actors import system_actor
from tenant_apps.invariants.selectors import invariant_checks
from tenant_apps.invariants.services import watch
from tenants.context import tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain, served_organizations


class Command(BaseCommand):
    help = "Check the invariants of one organization or of all. Exit code 1 where one is red."

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--organization", metavar="SUBDOMAIN")
        chosen.add_argument("--all", action="store_true", help="all that are not suspended")
        parser.add_argument("--sweep", action="store_true", help="read everything, not the news")

    def handle(self, *args: Any, **options: Any) -> None:
        red = 0
        for organization in self._chosen(options):
            red += self._watch(organization, sweep=options["sweep"])
        if red:
            raise CommandError(f"{red} invariant(s) do not hold", returncode=1)

    def _chosen(self, options: dict[str, Any]) -> Iterator[Organization]:
        if options["all"]:
            yield from served_organizations()
            return
        try:
            yield organization_by_subdomain(options["organization"])
        except Organization.DoesNotExist as problem:
            raise CommandError(f"nobody answers at {options['organization']}") from problem

    def _watch(self, organization: Organization, *, sweep: bool) -> int:
        with tenant_context(organization):
            red = watch(actor=system_actor("invariants"), sweep=sweep)
            checks = list(invariant_checks())
        self.stdout.write(f"{organization.name}:")
        for check in checks:
            self.stdout.write(f"  {check.state:5} {check.name}: {check.title}")
            for finding in check.findings:
                self.stdout.write(
                    f"        {finding['rule']}: {finding['subject']}: {finding['detail']}"
                )
        return len(red)
