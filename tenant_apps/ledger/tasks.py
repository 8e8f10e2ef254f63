"""Holds whose time is over are given back, what waits is counted, and the past is settled."""

from __future__ import annotations

from celery import shared_task

from shared_apps.access.actors import system_actor
from shared_apps.outbox import waking
from tenant_apps.ledger import selectors, services
from tenant_apps.ledger.folding import QUEUE, is_waiting
from tenant_apps.ledger.history.settling import settle
from tenants.context import tenant_context
from tenants.selectors import served_organizations


@shared_task
def expire_holds() -> None:
    actor = system_actor("ledger")
    # While the books are stopped, holds wait too.
    while selectors.books_stop() is None and services.expire_holds(actor=actor):
        pass


@shared_task(platform=True)
def expire_holds_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            expire_holds.delay()


@shared_task
def fold_credits() -> None:
    waking.call_is_taken(QUEUE)
    # While the books are stopped, too: this posts nothing, and counts what was posted before.
    services.fold_waiting()


def _call() -> None:
    fold_credits.delay()


waking.register_caller(QUEUE, _call)


@shared_task(platform=True)
def fold_credits_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            if is_waiting():
                fold_credits.delay()


@shared_task
def settle_history() -> None:
    settle()


@shared_task(platform=True)
def settle_history_everywhere() -> None:
    for organization in served_organizations():
        with tenant_context(organization):
            settle_history.delay()
