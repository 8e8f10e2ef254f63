"""Login codes: how a person who has just proved something elsewhere lands signed in."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from shared_apps.accounts.errors import SecretRefused
from shared_apps.accounts.events import LoginCodeIssued
from shared_apps.accounts.models import Session
from shared_apps.accounts.services import attempts, one_time_secrets
from shared_apps.accounts.services.credentials import REDEEM_PLACE, count_or_refuse
from shared_apps.accounts.services.locks import locked_user
from shared_apps.accounts.services.sessions import SignIn, start_session
from shared_apps.audit.services import record
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step


@step
@transaction.atomic
def issue_login_code(*, user_id: UUID, actor: Actor) -> str:
    """A code that signs its bearer in once, within five minutes, in this organization only.

    Whoever asks for one answers for the proof that was given (sign-up: a verified e-mail).

    :raises UserUnknown: there is no such person.
    """
    user = locked_user(user_id=user_id)
    one_time_secrets.withdraw(user_id=user.id, purposes=[one_time_secrets.Purpose.LOGIN_CODE])
    code = one_time_secrets.issue(
        user=user, purpose=one_time_secrets.Purpose.LOGIN_CODE, issued_by=actor.user_id
    )
    record(LoginCodeIssued(subject_id=user.id), actor=actor)
    return code


@step
def redeem_login_code(*, code: str, actor: Actor) -> SignIn:
    """Begin a session by a login code. A second factor is still asked for.

    :raises SecretRefused: forged, expired, used, or of another organization.
    :raises TooManyAttempts: too many codes were tried from this place.
    """
    tries = REDEEM_PLACE.counter(attempts.place_of(ip_address=actor.ip_address))
    count_or_refuse(counter=tries)
    with transaction.atomic():
        _, user = one_time_secrets.redeem(text=code, purpose=one_time_secrets.Purpose.LOGIN_CODE)
        if not user.is_active:
            raise SecretRefused
        sign_in = start_session(user=user, method=Session.Method.LOGIN_CODE, actor=actor)
    attempts.give_back(tries)
    return sign_in
