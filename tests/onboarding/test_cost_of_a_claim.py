"""What a visitor waits for: the first rows that are everybody's stand before."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.access.actors import system_actor
from shared_apps.access.models import Membership, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.ids import uuid7
from shared_apps.onboarding.services import SignUpFacts, provision_organization
from shared_apps.plans.selectors import default_plan
from tenant_apps.parties.models import Party
from tenants import fleet
from tenants.context import platform_context, tenant_context
from tenants.models import SpareSchema

FACTS = SignUpFacts(
    name="Swift Traders",
    legal_name="Swift Traders Limited",
    subdomain="swift-traders",
    country="KE",
    tax_number="",
    base_currency="KES",
    time_zone="Africa/Nairobi",
    fiscal_year_start_month=1,
    fiscal_year_start_day=1,
)


def test_a_claim_writes_only_what_is_the_organizations_own(platform: None) -> None:
    if not SpareSchema.objects.filter(fingerprint=fleet.fingerprint()).exists():
        pytest.fail("the template database keeps spare schemas of the current fingerprint")
    plan = default_plan()

    with CaptureQueriesContext(connection) as captured:
        organization, admin_id = provision_organization(
            facts=FACTS,
            plan=plan,
            admin_email="ada@swift.example",
            admin_name="Ada Swift",
            password_hash="!",
            organization_id=uuid7(),
            actor=system_actor("test"),
        )

    assert len(captured.captured_queries) <= 60
    written = {
        sql.split('"')[1]
        for sql in (query["sql"] for query in captured.captured_queries)
        if sql.startswith("INSERT INTO ")
    }
    assert "access_role" not in written
    assert "ledger_account" not in written
    with tenant_context(organization):
        assert Membership.objects.get(user_id=admin_id).role == Role.objects.get(code="admin")
        assert Party.objects.get(is_own=True).name == "Swift Traders"
        assert AuditEntry.objects.filter(event_name="access.role_created").exists()


def test_no_two_claims_get_one_schema(platform: None) -> None:
    schemas = set(SpareSchema.objects.values_list("schema_name", flat=True))
    assert len(schemas) >= 2
    taken = []
    for subdomain in ("swift-one", "swift-two"):
        with platform_context(reason="test"):
            organization, _ = provision_organization(
                facts=replace(FACTS, subdomain=subdomain),
                plan=default_plan(),
                admin_email="ada@swift.example",
                admin_name="Ada Swift",
                password_hash="!",
                organization_id=uuid7(),
                actor=system_actor("test"),
            )
        taken.append(organization.schema_name)
    assert len(set(taken)) == 2
    assert set(taken) <= schemas
