"""What onboarding does about its events after they are committed."""

from shared_apps.onboarding.events import OrganizationResumed, OrganizationSuspended, PlanChanged
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
