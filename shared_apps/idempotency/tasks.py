"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.idempotency import services
from tenants.context import platform_context, tenant_context
from tenants.selectors import served_organizations


@shared_task(platform=True, name="idempotency.free_old_keys_everywhere")
def free_old_keys_everywhere() -> None:
    """Free keys that moved no money and are two days old."""
    for organization in served_organizations():
        with tenant_context(organization):
            services.free_old_keys()
    with platform_context(reason="free old idempotency keys"):
        services.free_old_keys()
