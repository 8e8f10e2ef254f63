from celery import shared_task

from shared_apps.outbox import waking
from tenants.context import on_platform, platform_context
from tenants.tasks import in_every_organization

from .selectors import has_due_mails
from .services import give_up_lost_secrets, send_due

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
    in_every_organization(_wake_where_due)
    with platform_context(reason="poll the mails"):
        _wake_where_due()


@shared_task(platform=True)
def give_up_lost_secrets_everywhere() -> None:
    """Let secret mails that a crash left behind be seen as lost."""
    in_every_organization(give_up_lost_secrets)
    with platform_context(reason="give up lost secret mails"):
        give_up_lost_secrets()


def _wake_where_due() -> None:
    if has_due_mails():
        waking.wake_now("mail")


def _call() -> None:
    task = send_platform if on_platform() else send
    task.apply_async(retry=False, expires=_CALL_EXPIRES_SECONDS)


waking.register_caller("mail", _call)
