"""The janitor of sales whose outcome is not known, and the work on batches."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from shared_apps.access.actors import system_actor
from tenant_apps.wallets import services
from tenant_apps.wallets.selectors import has_due_sales, running_batches
from tenants.context import current_organization
from tenants.tasks import in_every_organization

_CALL_EXPIRES_SECONDS = 60


@shared_task(also_suspended=True)
def settle_due() -> None:
    """Ask the provider about the organization's sales that are due.

    Money is at stake: what was sent before an organization was suspended is settled all the same.
    """
    services.settle_due(actor=system_actor("wallets"))


@shared_task
def work_on_batch(batch_id: str) -> None:
    """Place some of a batch's sales; the rest is for the next call."""
    if services.work_on_batch(batch_id=UUID(batch_id), actor=system_actor("wallets")):
        call_for_batch(batch_id=UUID(batch_id))


@shared_task(platform=True)
def poll() -> None:
    """Find sales to be asked about, and batches whose call was lost."""
    in_every_organization(_call_where_due, also_suspended=True)


def call_for_batch(*, batch_id: UUID) -> None:
    """Let a worker go on with a batch."""
    work_on_batch.apply_async([str(batch_id)], retry=False, expires=_CALL_EXPIRES_SECONDS)


def _call_where_due() -> None:
    if has_due_sales():
        settle_due.apply_async(retry=False, expires=_CALL_EXPIRES_SECONDS)
    if not current_organization().is_served:
        return
    for batch_id in running_batches():
        call_for_batch(batch_id=batch_id)
