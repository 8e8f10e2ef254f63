from shared_apps.kernel import clock

from .models import Mail, MailQuerySet


def has_due_mails() -> bool:
    """Whether there is a mail to send in this tenant now."""
    return Mail.objects.due(at=clock.now()).exists()


def undelivered_mails() -> MailQuerySet:
    """Mails of this tenant that failed or were lost, the newest first."""
    undelivered: MailQuerySet = Mail.objects.undelivered().order_by("-created_at", "-id")
    return undelivered
