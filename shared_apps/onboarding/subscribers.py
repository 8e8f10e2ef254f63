"""What onboarding does about its events after they are committed."""

from uuid import UUID

from shared_apps.onboarding.events import (
    DomainMoved,
    DomainRemoved,
    OrganizationResumed,
    OrganizationSuspended,
    PlanChanged,
)
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from tenants.errors import RoutingNotTold
from tenants.routing import publish_routing


@consumer("onboarding.tell_routing", OrganizationSuspended, OrganizationResumed, PlanChanged)
def tell_routing(message: OutboxMessage) -> None:
    """The commit has told it already, unless Redis was away: then this is tried until it is told.

    :raises RoutingNotTold: Redis is still away.
    """
    if not publish_routing(organization_id=message.subject_id):
        raise RoutingNotTold


@consumer("onboarding.tell_routing_of_hosts", DomainMoved, DomainRemoved)
def tell_routing_of_hosts(message: OutboxMessage) -> None:
    """The same for a host name that leads elsewhere, or nowhere.

    :raises RoutingNotTold: Redis is still away.
    """
    facts = message.payload
    removed = {facts["host"]: int(facts["version"])} if "version" in facts else {}
    if not publish_routing(organization_id=message.subject_id, removed_hosts=removed):
        raise RoutingNotTold
    if "former_organization_id" in facts and not publish_routing(
        organization_id=UUID(facts["former_organization_id"])
    ):
        raise RoutingNotTold
