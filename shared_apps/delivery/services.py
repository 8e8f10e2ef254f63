"""Steps that write and send mails. Whom to write to, the calling app has decided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.validators import validate_email
from django.db import transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from shared_apps.outbox import waking
from tenants.context import organization_or_none, platform_context, tenant_context

from .errors import NotAnAddress
from .models import Mail, MailState
from .rendering import RenderedMail, html_of, rendered

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=30)
# Far longer than a mail server may take: what is still queued then has nobody who sends it.
SECRETS_LOST_AFTER = timedelta(minutes=5)


@step
@transaction.atomic
def send_mail(
    *, to: str, template: str, context: Mapping[str, Any], actor: Actor | None = None
) -> Mail:
    """Queue a mail: it exists if the caller's transaction commits, and is sent after that.

    The values in `context` are filled in now. A quiet actor sends nothing, so callers ask
    `actor.quiet` first. For anything secret use `send_secret_mail`.

    :raises NotAnAddress: `to` is no e-mail address.
    :raises TemplateDoesNotExist: there is no ``mail/<template>.txt``.
    """
    _require_address(to)
    content = rendered(template=template, context=context)
    mail = Mail.objects.create(
        template=template,
        to=to,
        subject=content.subject,
        text=content.text,
        created_by_id=actor.user_id if actor else None,
        updated_by_id=actor.user_id if actor else None,
    )
    waking.wake_after_commit("mail")
    return mail


@step
@transaction.atomic
def send_secret_mail(*, to: str, template: str, context: Mapping[str, Any]) -> Mail:
    """Send a mail with a secret (a reset link, a code) right after the commit, once.

    Neither text nor subject is stored or queued, so it cannot be sent again: if the attempt
    fails, or the process ends before it, the row says so and the person asks for a new secret.

    :raises NotAnAddress: `to` is no e-mail address.
    :raises TemplateDoesNotExist: there is no ``mail/<template>.txt``.
    """
    _require_address(to)
    content = rendered(template=template, context=context)
    mail = Mail.objects.create(template=template, to=to, is_secret=True)
    organization = organization_or_none()

    def send() -> None:
        # The context may have changed between the write and the commit.
        here: Any = (
            tenant_context(organization)
            if organization
            else platform_context(reason="send a secret mail")
        )
        with here:
            _attempt(mail, content=content)

    transaction.on_commit(send, robust=True)
    return mail


@step
def send_due(*, limit: int = 200) -> bool:
    """Send what is due in the present tenant; says whether more is due.

    Each mail is sent under a lock on its row: two workers never send the same one, and one that
    was handed over but not marked (a crash in between) goes out again with the same Message-ID.
    """
    for _ in range(limit):
        with transaction.atomic():
            mail = (
                Mail.objects.due(at=clock.now())
                .select_for_update(skip_locked=True, no_key=True)
                .order_by("next_attempt_at", "id")
                .first()
            )
            if mail is None:
                return False
            _attempt(mail, content=RenderedMail(subject=mail.subject, text=mail.text))
    return True


@step
def give_up_lost_secrets() -> int:
    """Mark secrets of the present tenant that nobody sends any more; how many there were.

    One whose process was only slow is marked as sent all the same when it is handed over.
    """
    now = clock.now()
    lost: int = Mail.objects.forgotten_secrets(before=now - SECRETS_LOST_AFTER).update(
        state=MailState.LOST, updated_at=now
    )
    if lost:
        logger.warning("secret_mails_lost", mails=lost)
    return lost


def _attempt(mail: Mail, *, content: RenderedMail) -> None:
    mail.attempts += 1
    try:
        _hand_over(mail, content=content)
    except Exception as error:
        # The type only: servers quote addresses and texts in their errors.
        mail.error = f"{type(error).__module__}.{type(error).__qualname__}"[:200]
        logger.warning(
            "mail_failed", mail_id=str(mail.pk), template=mail.template, error=mail.error
        )
        if mail.is_secret or mail.attempts >= MAX_ATTEMPTS:
            mail.state = MailState.FAILED
        else:
            mail.next_attempt_at = clock.now() + FIRST_PAUSE * 2 ** (mail.attempts - 1)
    else:
        mail.state, mail.sent_at, mail.error = MailState.SENT, clock.now(), ""
    mail.save(
        update_fields=["attempts", "error", "state", "next_attempt_at", "sent_at", "updated_at"]
    )


def _hand_over(mail: Mail, *, content: RenderedMail) -> None:
    message = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        headers={
            "Message-ID": f"<{mail.pk}@{settings.BASE_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(html_of(content.text), "text/html")
    message.send(fail_silently=False)


def _require_address(to: str) -> None:
    try:
        validate_email(to)
    except ValidationError as error:
        raise NotAnAddress("This is no e-mail address.") from error
