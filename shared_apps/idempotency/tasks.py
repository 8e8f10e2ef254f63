"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.idempotency import services


@shared_task(name="idempotency.free_old_keys")
def free_old_keys() -> None:
    """Free keys that moved no money and are two days old."""
    services.free_old_keys()
