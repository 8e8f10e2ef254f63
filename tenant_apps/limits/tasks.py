"""Limits that were decided for a day to come take effect when it has come."""

from __future__ import annotations

from celery import shared_task

from shared_apps.access.actors import system_actor
from tenant_apps.limits import services
from tenants.context import tenant_context
from tenants.selectors import served_organizations


@shared_task
def apply_due_limits() -> None:
    actor = system_actor("limits")
    while services.apply_due_limits(actor=actor):
        pass


@shared_task(platform=True)
def apply_due_limits_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            apply_due_limits.delay()
