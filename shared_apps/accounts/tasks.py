"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.accounts import services
from tenants.context import platform_context, tenant_context
from tenants.selectors import served_organizations


@shared_task(platform=True, name="accounts.delete_expired_everywhere")
def delete_expired_everywhere() -> None:
    """Delete counters and secrets that nobody can use any more."""
    for organization in served_organizations():
        with tenant_context(organization):
            services.delete_expired()
    with platform_context(reason="delete expired secrets"):
        services.delete_expired()
