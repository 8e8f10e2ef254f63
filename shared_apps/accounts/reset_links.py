"""The part of a password reset that a stranger must not be able to time. A task runs it."""

from __future__ import annotations

from django.db import transaction

from shared_apps.accounts import links, one_time_secrets
from shared_apps.accounts.events import PasswordResetRequested
from shared_apps.accounts.models import User
from shared_apps.audit.services import record
from shared_apps.delivery.services import send_secret_mail
from shared_apps.kernel.actor import Actor


@transaction.atomic
def mail_reset_link(*, email: str, actor: Actor) -> None:
    """Mail a link to whoever has the address and may come in; nothing happens for nobody.

    Earlier links stay good until they expire: else a stranger could keep a person's links dead
    by asking again and again. The first that is used ends the others.
    """
    user = User.objects.active().with_email(email).first()
    if user is None:
        return
    token = one_time_secrets.issue(user=user, purpose=one_time_secrets.Purpose.RESET)
    record(PasswordResetRequested(subject_id=user.id), actor=actor)
    send_secret_mail(
        to=user.email,
        template="password_reset",
        context={
            "name": user.full_name,
            "place": links.name_of_place(),
            "link": links.link_to("reset-password", token=token),
            "token": token,
        },
    )
