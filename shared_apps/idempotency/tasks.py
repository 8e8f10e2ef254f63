"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.idempotency import services
from tenants.context import platform_context
from tenants.tasks import in_every_organization


@shared_task(platform=True, name="idempotency.free_old_keys_everywhere")
def free_old_keys_everywhere() -> None:
    """Free keys that moved no money and are two days old."""
    in_every_organization(services.free_old_keys)
    with platform_context(reason="free old idempotency keys"):
        services.free_old_keys()
