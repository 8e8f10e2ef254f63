"""Commissions that wait for a plan or a rate are tried again every hour."""

from __future__ import annotations

from celery import shared_task

from shared_apps.access.actors import system_actor
from tenant_apps.commissions import services
from tenant_apps.ledger.selectors import books_stop
from tenants.context import tenant_context
from tenants.selectors import served_organizations


@shared_task
def complete_waiting() -> None:
    actor = system_actor("commissions")
    while books_stop() is None and services.complete_waiting(actor=actor):
        pass


@shared_task(platform=True)
def complete_waiting_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            complete_waiting.delay()
