"""Invitations: a person is named first, and comes in by the link that only they receive."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import transaction

from shared_apps.accounts import links, passwords
from shared_apps.accounts.emails import normalise_email
from shared_apps.accounts.errors import AlreadyActivated, SecretRefused
from shared_apps.accounts.events import InvitationAccepted, InvitationWithdrawn, UserInvited
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.services import attempts, one_time_secrets
from shared_apps.accounts.services.credentials import REDEEM_PLACE, count_or_refuse
from shared_apps.accounts.services.locks import locked_user
from shared_apps.accounts.services.people import insert, require_free_addresses, take_places
from shared_apps.accounts.services.sessions import SignIn, start_session
from shared_apps.audit.history import record_bulk_created
from shared_apps.audit.services import record
from shared_apps.delivery.services import send_secret_mail
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step

Purpose = one_time_secrets.Purpose


@step
@transaction.atomic
def invite_user(*, email: str, full_name: str, actor: Actor, language: str = "en") -> User:
    """Make a person who is not active yet and mail them a link to come in by.

    Roles can be given at once: they count from the moment the person comes in.

    :raises EmailTaken: somebody has the address.
    :raises QuotaExceeded: the plan does not allow one more.
    """
    actor.require("accounts.add_user")
    address = normalise_email(email)
    require_free_addresses(addresses=[address])
    take_places(count=1, actor=actor)
    user = User(
        email=address,
        full_name=full_name,
        language=language,
        is_active=False,
        password=make_password(None),
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    insert(users=[user])
    record_bulk_created([user], actor=actor)
    _mail_invitation(user, actor=actor)
    return user


@step
@transaction.atomic
def resend_invitation(*, user_id: UUID, actor: Actor) -> User:
    """Mail a new link to somebody who has not come in yet; earlier links stop working.

    :raises UserUnknown: there is no such person.
    :raises AlreadyActivated: the person has come in, or was deactivated.
    """
    actor.require("accounts.add_user")
    user = _invited(user_id)
    one_time_secrets.withdraw(user_id=user.id, purposes=[Purpose.INVITATION])
    _mail_invitation(user, actor=actor)
    return user


@transaction.atomic
def withdraw_invitation(*, user_id: UUID, actor: Actor) -> User:
    """Make an invitation worthless. The person stays, inactive, and can be invited again.

    :raises UserUnknown: there is no such person.
    :raises AlreadyActivated: the person has come in, or was deactivated.
    """
    actor.require("accounts.add_user")
    user = _invited(user_id)
    one_time_secrets.withdraw(user_id=user.id, purposes=[Purpose.INVITATION])
    record(InvitationWithdrawn(subject_id=user.id), actor=actor)
    return user


@step
def accept_invitation(*, token: str, password: str, full_name: str | None, actor: Actor) -> SignIn:
    """Come in by an invitation: the person chooses a password and gets a first session.

    :raises SecretRefused: the link is forged, expired, used, withdrawn, or foreign.
    :raises PasswordTooWeak: a validator refuses the password; the link stays good.
    :raises TooManyAttempts: too many links were tried from this place.
    """
    tries = REDEEM_PLACE.counter(attempts.place_of(ip_address=actor.ip_address))
    count_or_refuse(counter=tries)
    with transaction.atomic():
        secret, user = one_time_secrets.redeem(text=token, purpose=Purpose.INVITATION)
        if not user.is_invited or user.deactivated_at is not None:
            raise SecretRefused
        user.full_name = full_name or user.full_name
        passwords.require_strong(password=password, user=user, field="password")
        now = clock.now()
        user.set_password(password)
        user.is_active, user.activated_at, user.password_changed_at = True, now, now
        user.updated_by_id = user.id
        user.save()
        themselves = actor.changed(user_id=user.id)
        record(InvitationAccepted(subject_id=user.id, invitation_id=secret.id), actor=themselves)
        sign_in = start_session(user=user, method=Session.Method.INVITATION, actor=themselves)
    attempts.give_back(tries)
    return sign_in


def _invited(user_id: UUID) -> User:
    user = locked_user(user_id=user_id)
    if not user.is_invited or user.deactivated_at is not None:
        raise AlreadyActivated
    return user


def _mail_invitation(user: User, *, actor: Actor) -> None:
    token = one_time_secrets.issue(user=user, purpose=Purpose.INVITATION, issued_by=actor.user_id)
    record(UserInvited(subject_id=user.id), actor=actor)
    send_secret_mail(
        to=user.email,
        template="invitation",
        context={
            "name": user.full_name,
            "link": links.link_to("accept-invitation", token=token),
            "token": token,
        },
    )
