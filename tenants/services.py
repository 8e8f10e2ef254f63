"""Steps on organizations: claim a schema, change the address, suspend and resume.

They are steps, not acts: who may take them, and the audit entry, belong to `onboarding`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from tenants.context import on_platform, platform_context
from tenants.errors import NoSpareSchema, TenancyError
from tenants.fleet import fingerprint
from tenants.models import Domain, Organization, OrganizationState, SpareSchema
from tenants.routing import publish_routing


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationFacts:
    """What an organization tells of itself when it signs up."""

    name: str
    legal_name: str
    country: str
    tax_number: str
    base_currency: str
    time_zone: str
    fiscal_year_start_month: int = 1
    fiscal_year_start_day: int = 1
    plan_code: str = ""
    entitlements: dict[str, Any] | None = None
    trial_ends_on: date | None = None


def _assert_platform_transaction() -> None:
    if not on_platform() or not connection.in_atomic_block:
        raise TenancyError("to be called on the platform, in a transaction")


def claim_schema(
    *, facts: OrganizationFacts, host: str, organization_id: UUID | None = None
) -> Organization:
    """Give a spare schema to a new organization that answers at `host`.

    :raises NoSpareSchema: the pool has none of the current fingerprint at this moment.
    :raises django.db.IntegrityError: the host belongs to another organization.
    """
    _assert_platform_transaction()
    spare = (
        SpareSchema.objects.select_for_update(skip_locked=True)
        .filter(fingerprint=fingerprint())
        .order_by("created_at")
        .first()
    )
    if spare is None:
        raise NoSpareSchema
    spare.delete()
    organization = Organization(
        schema_name=spare.schema_name,
        name=facts.name,
        legal_name=facts.legal_name,
        country=facts.country,
        tax_number=facts.tax_number,
        base_currency=facts.base_currency,
        time_zone=facts.time_zone,
        fiscal_year_start_month=facts.fiscal_year_start_month,
        fiscal_year_start_day=facts.fiscal_year_start_day,
        plan_code=facts.plan_code,
        entitlements=facts.entitlements or {},
        trial_ends_on=facts.trial_ends_on,
    )
    if organization_id is not None:
        organization.id = organization_id
    # Not `save`: the library's asks first whether the schema has an owner, which is unique.
    Organization.objects.bulk_create([organization])
    Domain.objects.bulk_create([Domain(domain=host, tenant=organization, is_primary=True)])
    _publish_after_commit(organization.id)
    return organization


def _publish_after_commit(
    organization_id: UUID, removed_hosts: Mapping[str, int] | None = None
) -> None:
    def publish() -> None:
        with platform_context(reason="tell the routing what changed"):
            publish_routing(organization_id=organization_id, removed_hosts=removed_hosts)

    # Robust: what is committed stays done, whether or not the news of it gets through.
    transaction.on_commit(publish, robust=True)


def _locked(organization_id: UUID) -> Organization:
    _assert_platform_transaction()
    found: Organization = Organization.objects.select_for_update(no_key=True).get(
        id=organization_id
    )
    return found


def _change(organization_id: UUID, **values: Any) -> Organization:
    """Write under the row's lock, with the next version: commits come in the versions' order."""
    organization = _locked(organization_id)
    values["routing_version"] = organization.routing_version + 1
    Organization.objects.filter(id=organization_id).update(**values)
    for name, value in values.items():
        setattr(organization, name, value)
    _publish_after_commit(organization_id)
    return organization


def set_state(*, organization_id: UUID, state: OrganizationState) -> Organization:
    """Store a lifecycle state. The routing, tasks and sockets obey it at once."""
    return _change(organization_id, state=state)


def set_entitlements(
    *, organization_id: UUID, plan_code: str, entitlements: dict[str, Any]
) -> Organization:
    """Store the copy of a plan's features and quotas that the routing carries."""
    return _change(organization_id, plan_code=plan_code, entitlements=entitlements)


def _locked_domain(host: str, *, beside: UUID | None = None) -> tuple[Domain, int]:
    """The domain, and a version above all that any process was ever told of the host."""
    _assert_platform_transaction()
    domain: Domain = Domain.objects.select_for_update().get(domain=host)
    wanted = [one for one in (domain.tenant_id, beside) if one is not None]
    locked = Organization.objects.select_for_update(no_key=True).order_by("id")
    versions = dict(locked.filter(id__in=wanted).values_list("id", "routing_version"))
    return domain, domain.routing_version + versions[domain.tenant_id] + 1


def move_domain(*, host: str, organization_id: UUID) -> UUID:
    """Let `host` lead to another organization, at once; answers where it led before."""
    domain, version = _locked_domain(host, beside=organization_id)
    former: UUID = domain.tenant_id
    Domain.objects.filter(pk=domain.pk).update(tenant_id=organization_id, routing_version=version)
    _publish_after_commit(organization_id)
    _publish_after_commit(former)
    return former


def remove_domain(*, host: str) -> tuple[UUID, int]:
    """Let `host` lead nowhere, at once; answers where it led, and the version of its removal."""
    domain, version = _locked_domain(host)
    organization_id: UUID = domain.tenant_id
    domain.delete()
    _publish_after_commit(organization_id, removed_hosts={host: version})
    return organization_id, version
