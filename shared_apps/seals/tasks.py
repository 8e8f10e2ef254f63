from celery import shared_task

from shared_apps.kernel.actor import Actor, AllowsEverything
from tenants.context import platform_context
from tenants.tasks import in_every_organization

from . import services
from .platform import verify_platform

# A turn that waited longer is overtaken by the next.
_TURN_EXPIRES_SECONDS = 240


@shared_task
def seal() -> None:
    """Seal what the organization has written since the last time."""
    services.seal_chains()


@shared_task(platform=True)
def seal_everywhere() -> None:
    """Give every organization its turn, as a task of its own: none waits for another's backlog.
    The platform's own log comes last, and here."""
    in_every_organization(lambda: seal.apply_async(retry=False, expires=_TURN_EXPIRES_SECONDS))
    with platform_context(reason="seal the platform's own log"):
        services.seal_chains()


@shared_task(platform=True)
def anchor_everywhere() -> None:
    """Write the heads of every organization, and the platform's own, down once a day. The
    platform's log is read again then: no watch of an organization does."""
    in_every_organization(services.anchor_heads)
    with platform_context(reason="anchor the platform's own log"):
        if services.anchor_heads():
            verify_platform()


@shared_task(platform=True)
def drop_old_everywhere() -> None:
    """Drop audit entries that organizations do not keep any longer."""
    actor = Actor(request_id="retention", label="system:retention", checker=AllowsEverything())
    in_every_organization(lambda: services.drop_old_entries(actor=actor))
