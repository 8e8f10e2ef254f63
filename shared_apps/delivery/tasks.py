from celery import shared_task

from shared_apps.outbox import waking
from tenants.context import on_platform, platform_context, tenant_context
from tenants.selectors import served_organizations

from .selectors import has_due_mails
from .services import send_due

_CALL_EXPIRES_SECONDS = 60


@shared_task
def send() -> None:
    """Send what is due in the organization."""
    _send()


@shared_task(platform=True)
def send_platform() -> None:
    """Send what is due on the platform."""
    _send()


def _send() -> None:
    waking.call_is_taken("mail")
    if send_due():
        waking.wake_now("mail")


@shared_task(platform=True)
def poll() -> None:
    """Find mails whose wake-up call was lost or whose next attempt has come."""
    for organization in served_organizations():
        with tenant_context(organization):
            if has_due_mails():
                waking.wake_now("mail")
    with platform_context(reason="poll the mails"):
        if has_due_mails():
            waking.wake_now("mail")


def _call() -> None:
    task = send_platform if on_platform() else send
    task.apply_async(retry=False, expires=_CALL_EXPIRES_SECONDS)


waking.register_caller("mail", _call)
