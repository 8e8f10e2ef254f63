"""Background entrances."""

from __future__ import annotations

from celery import shared_task

from shared_apps.accounts import expiry, reset_links
from shared_apps.kernel.actor import Actor


@shared_task(name="accounts.mail_reset_link")
def mail_reset_link(*, email: str, request_id: str, ip_address: str, user_agent: str) -> None:
    """Mail a reset link if somebody has the address."""
    actor = Actor(request_id=request_id, ip_address=ip_address, user_agent=user_agent)
    reset_links.mail_reset_link(email=email, actor=actor)


@shared_task(name="accounts.delete_expired")
def delete_expired() -> None:
    """Delete counters and secrets that nobody can use any more."""
    expiry.delete_expired()
