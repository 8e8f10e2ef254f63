"""Steps that write and send mails. Whom to write to, the calling app has decided."""

from __future__ import annotations

import re
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

from .errors import NotAnAddress, NotAPhoneNumber
from .models import Mail, MailState, Sms
from .rendering import RenderedMail, html_of, rendered, rendered_sms
from .sms import sender

logger = structlog.get_logger(__name__)

MAX_ATTEMPTS = 8
FIRST_PAUSE = timedelta(seconds=30)
# Far longer than a mail server may take: what is still queued then has nobody who sends it.
SECRETS_LOST_AFTER = timedelta(minutes=5)
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


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
@transaction.atomic
def send_secret_sms(*, to: str, template: str, context: Mapping[str, Any]) -> Sms:
    """Send a code to a phone right after the commit, once. Its text is stored nowhere.

    :raises NotAPhoneNumber: `to` is no number such as +254712345678.
    :raises TemplateDoesNotExist: there is no ``sms/<template>.txt``.
    """
    if not _PHONE.fullmatch(to):
        raise NotAPhoneNumber("This is no phone number in the international form.")
    text = rendered_sms(template=template, context=context)
    sms = Sms.objects.create(template=template, to=to)
    organization = organization_or_none()

    def send() -> None:
        here: Any = (
            tenant_context(organization)
            if organization
            else platform_context(reason="send a short message")
        )
        with here:
            _hand_over_sms(sms, text=text)

    transaction.on_commit(send, robust=True)
    return sms


def _hand_over_sms(sms: Sms, *, text: str) -> None:
    try:
        sender().send(to=sms.to, text=text, reference=sms.pk)
    except Exception as error:
        # The type only: providers quote numbers and texts in their errors.
        sms.error = f"{type(error).__module__}.{type(error).__qualname__}"[:200]
        sms.state = MailState.FAILED
        logger.warning("sms_failed", sms_id=str(sms.pk), template=sms.template, error=sms.error)
    else:
        sms.state, sms.sent_at = MailState.SENT, clock.now()
    sms.save(update_fields=["error", "state", "sent_at", "updated_at"])


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
    """Mark secret mails and short messages that nobody sends any more; how many there were.

    One whose process was only slow is marked as sent all the same when it is handed over.
    """
    now = clock.now()
    lost: int = Mail.objects.forgotten_secrets(before=now - SECRETS_LOST_AFTER).update(
        state=MailState.LOST, updated_at=now
    )
    queued = Sms.objects.filter(state=MailState.QUEUED, created_at__lt=now - SECRETS_LOST_AFTER)
    lost += queued.update(state=MailState.LOST, updated_at=now)
    if lost:
        logger.warning("secrets_lost", messages=lost)
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
