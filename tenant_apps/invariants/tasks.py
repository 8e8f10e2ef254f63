"""Every minute each organization's invariants are checked."""

from __future__ import annotations

from celery import shared_task

from shared_apps.access.actors import system_actor
from tenant_apps.invariants import services
from tenants.context import tenant_context
from tenants.selectors import served_organizations

_EXPIRES_SECONDS = 60


@shared_task
def watch() -> None:
    services.watch(actor=system_actor("invariants"))


@shared_task(platform=True)
def watch_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            watch.apply_async(expires=_EXPIRES_SECONDS)
