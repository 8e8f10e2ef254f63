"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.accounts import services
from tenants.context import platform_context
from tenants.tasks import in_every_organization


@shared_task(platform=True, name="accounts.delete_expired_everywhere")
def delete_expired_everywhere() -> None:
    """Delete counters and secrets that nobody can use any more."""
    in_every_organization(services.delete_expired)
    with platform_context(reason="delete expired secrets"):
        services.delete_expired()
