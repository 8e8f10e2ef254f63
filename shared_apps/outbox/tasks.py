from celery import shared_task

from tenants.context import on_platform, platform_context
from tenants.tasks import in_every_organization

from . import waking
from .relay import relay_due
from .selectors import has_due_messages

# A call that waited longer than this is worth nothing: the poll has called again since.
_CALL_EXPIRES_SECONDS = 60


@shared_task
def relay() -> None:
    """Deliver what is due in the organization."""
    _relay()


@shared_task(platform=True)
def relay_platform() -> None:
    """Deliver what is due on the platform."""
    _relay()


def _relay() -> None:
    waking.call_is_taken("outbox")
    if relay_due():
        waking.wake_now("outbox")


@shared_task(platform=True)
def poll() -> None:
    """Find work whose wake-up call was lost, in every organization and on the platform."""
    in_every_organization(_wake_where_due)
    with platform_context(reason="poll the outbox"):
        _wake_where_due()


def _wake_where_due() -> None:
    if has_due_messages():
        waking.wake_now("outbox")


def _call() -> None:
    task = relay_platform if on_platform() else relay
    task.apply_async(retry=False, expires=_CALL_EXPIRES_SECONDS)


waking.register_caller("outbox", _call)
