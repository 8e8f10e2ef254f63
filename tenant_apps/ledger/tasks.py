"""Holds whose time is over are given back every half minute."""

from __future__ import annotations

from celery import shared_task

from shared_apps.access.actors import system_actor
from tenant_apps.ledger import services
from tenants.context import tenant_context
from tenants.selectors import served_organizations


@shared_task
def expire_holds() -> None:
    actor = system_actor("ledger")
    while services.expire_holds(actor=actor):
        pass


@shared_task(platform=True)
def expire_holds_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            expire_holds.delay()
