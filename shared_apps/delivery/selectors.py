from shared_apps.kernel import clock

from .models import Mail


def has_due_mails() -> bool:
    """Whether there is a mail to send in this tenant now."""
    return Mail.objects.due(at=clock.now()).exists()
