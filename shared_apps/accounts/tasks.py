"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.accounts import services


@shared_task(name="accounts.delete_expired")
def delete_expired() -> None:
    """Delete counters and secrets that nobody can use any more."""
    services.delete_expired()
