"""Let a host name lead to another organization, or nowhere. It holds at once."""

from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.onboarding.errors import NoSuchHost, OrganizationStateUnchanged
from shared_apps.onboarding.events import DomainMoved, DomainRemoved
from tenants import services as tenants
from tenants.models import Domain

from .lifecycle import MANAGE, told_reason


@transaction.atomic
def move_domain(*, host: str, organization_id: UUID, reason: str, actor: Actor) -> None:
    """Let `host` lead to another organization.

    :raises NoSuchHost: it leads nowhere.
    :raises OrganizationStateUnchanged: it leads there already.
    :raises BadInput: no reason is given.
    """
    actor.require(MANAGE)
    told = told_reason(reason=reason)
    try:
        former = tenants.move_domain(host=host, organization_id=organization_id)
    except Domain.DoesNotExist as problem:
        raise NoSuchHost(f"{host} leads nowhere.") from problem
    if former == organization_id:
        raise OrganizationStateUnchanged(f"{host} leads there already.")
    audit.record(
        DomainMoved(
            subject_id=organization_id, host=host, former_organization_id=former, reason=told
        ),
        actor=actor,
    )


@transaction.atomic
def remove_domain(*, host: str, reason: str, actor: Actor) -> None:
    """Let `host` lead nowhere.

    :raises NoSuchHost: it leads nowhere already.
    :raises BadInput: no reason is given.
    """
    actor.require(MANAGE)
    told = told_reason(reason=reason)
    try:
        organization_id, version = tenants.remove_domain(host=host)
    except Domain.DoesNotExist as problem:
        raise NoSuchHost(f"{host} leads nowhere.") from problem
    audit.record(
        DomainRemoved(subject_id=organization_id, host=host, version=version, reason=told),
        actor=actor,
    )
