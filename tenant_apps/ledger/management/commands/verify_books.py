"""`manage.py verify_books --organization SUBDOMAIN | --all`: read books and seals, say what is
wrong."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from shared_apps.seals import chains
from shared_apps.seals.verification import Verified, verify_chain
from tenant_apps.ledger.verification import verify
from tenants.context import platform_context, tenant_context
from tenants.models import Organization
from tenants.selectors import organization_by_subdomain


class Command(BaseCommand):
    help = "Verify the books of one organization or of all. Exit code 1 where they do not hold."

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("--organization", metavar="SUBDOMAIN")
        chosen.add_argument("--all", action="store_true", help="suspended organizations too")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for organization in self._chosen(options):
            wrong += not self._verify(organization)
        if wrong:
            raise CommandError(f"the books of {wrong} organization(s) do not hold", returncode=1)

    def _chosen(self, options: dict[str, Any]) -> Iterator[Organization]:
        if options["all"]:
            with platform_context(reason="verify all books"):
                organizations = list(Organization.objects.order_by("id"))
            yield from organizations
            return
        try:
            yield organization_by_subdomain(options["organization"])
        except Organization.DoesNotExist as problem:
            raise CommandError(f"nobody answers at {options['organization']}") from problem

    def _verify(self, organization: Organization) -> bool:
        with tenant_context(organization):
            result = verify()
            sealed = [verify_chain(chain) for chain in chains.registered()]
        self.stdout.write(
            f"{organization.name}: {result.accounts} accounts, {result.transfers} transfers in"
            f" {result.journals} journals: {'hold' if result.books_hold else 'DO NOT HOLD'}"
        )
        for finding in result.findings:
            self.stdout.write(f"  {finding.check}: {finding.subject}: {finding.detail}")
        for chain in sealed:
            self._tell_seals(chain)
        return result.books_hold and all(chain.holds for chain in sealed)

    def _tell_seals(self, chain: Verified) -> None:
        self.stdout.write(
            f"  seals of {chain.chain}: {chain.rows} rows in {chain.segments} segments,"
            f" {chain.waiting} not sealed yet: {'hold' if chain.holds else 'DO NOT HOLD'}"
        )
        for finding in chain.findings:
            place = f"segment {finding.segment}" if finding.segment else "no segment"
            row = f", row {finding.row_id}" if finding.row_id else ""
            self.stdout.write(f"    {finding.wrong}: {place}{row}: {finding.detail}")
