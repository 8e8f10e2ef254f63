"""Spare schemas: what they hold before anybody claims them, and which of them may be claimed."""

import subprocess
import sys
from typing import Any

import pytest
from django.db import connection, transaction

from shared_apps.access.bundles import STANDARD_ROLES, standard_grants
from shared_apps.access.models import Role, RolePermission
from shared_apps.audit.models import AuditEntry
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.commissions.models import CommissionPlan
from tenant_apps.invoices.models import InvoiceSeries
from tenant_apps.ledger import chart
from tenant_apps.ledger.models import Account, PostingRule
from tenant_apps.products.models import TaxRate
from tenants import fleet, provisioning
from tenants.context import platform_context, tenant_context
from tenants.errors import NoSpareSchema
from tenants.models import SpareSchema
from tenants.services import OrganizationFacts, claim_schema
from tests import databases

FACTS = OrganizationFacts(
    name="Late Comer",
    legal_name="Late Comer Limited",
    country="KE",
    tax_number="",
    base_currency="KES",
    time_zone="Africa/Nairobi",
)


def test_first_rows_are_written_once(tenant: Any) -> None:
    assert Role.objects.count() == len(STANDARD_ROLES)
    assert RolePermission.objects.count() == sum(map(len, standard_grants().values()))
    assert Account.objects.chart().count() == len(chart.CHART)
    assert PostingRule.objects.count() == len(chart.RULES)
    assert [model.objects.count() for model in (TaxRate, InvoiceSeries, CommissionPlan)] == [1] * 3


def test_what_the_spare_was_given_is_audited_and_told_to_nobody(tenant: Any) -> None:
    entries = AuditEntry.objects.filter(event_name="access.role_created")

    assert entries.count() == len(STANDARD_ROLES)
    assert set(entries.values_list("actor_label", flat=True)) == {"system:provisioning"}
    assert not OutboxMessage.objects.filter(request_id="spare", relayed_at=None).exists()


def test_a_spare_with_other_first_rows_is_not_claimed(platform: None) -> None:
    SpareSchema.objects.all().delete()
    structure = fleet.fingerprint().partition("-")[0]
    SpareSchema.objects.create(schema_name="t_stale", fingerprint=f"{structure}-{'0' * 16}")

    with transaction.atomic(), pytest.raises(NoSpareSchema):
        claim_schema(facts=FACTS, host="late.localhost")

    assert SpareSchema.objects.filter(schema_name="t_stale").exists()


def test_the_version_follows_what_the_seeds_write(monkeypatch: pytest.MonkeyPatch) -> None:
    former = provisioning.spare_seeds_version()
    rows = {"version": "1"}
    monkeypatch.setattr(provisioning, "_spare_seeds", dict(provisioning._spare_seeds))
    provisioning.register_spare_seed(
        999, "test", lambda *, actor: None, version=lambda: rows["version"]
    )
    first = provisioning.spare_seeds_version()
    rows["version"] = "2"

    assert len({former, first, provisioning.spare_seeds_version()}) == 3


def manage(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=databases.ROOT,
        env=databases.environment_for(str(connection.settings_dict["NAME"])),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_'")
        return {name for (name,) in cursor.fetchall()}


def test_migrating_the_fleet_replaces_a_spare_with_other_first_rows(real_commits: Any) -> None:
    with platform_context(reason="test"):
        SpareSchema.objects.all().delete()
    manage("fill_spare_schemas", "--count", "1")
    with platform_context(reason="test"):
        before = schemas()
        stale = SpareSchema.objects.get().schema_name
        structure = fleet.fingerprint().partition("-")[0]
        SpareSchema.objects.update(fingerprint=f"{structure}-{'0' * 16}")

    manage("migrate_fleet")

    with platform_context(reason="test"):
        spare = SpareSchema.objects.get()
        assert spare.fingerprint == fleet.fingerprint()
        assert schemas() == before - {stale} | {spare.schema_name}
        with transaction.atomic():
            organization = claim_schema(facts=FACTS, host="late.localhost")
    with tenant_context(organization):
        assert Role.objects.count() == len(STANDARD_ROLES)
