"""Passwords: checked, changed, forgotten.

Nothing here tells a stranger whether an address is known: not the answer, not its status, and not
the time it takes. So failures of unknown addresses are written down just like those of known ones,
and a reset link is made and mailed by a consumer of the outbox, while the request only writes down
that it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import transaction

from shared_apps.accounts import links, passwords
from shared_apps.accounts.emails import normalise_email
from shared_apps.accounts.errors import (
    CredentialsRefused,
    PasswordWrong,
    SecretRefused,
    TooManyAttempts,
)
from shared_apps.accounts.events import (
    PasswordChanged,
    PasswordReset,
    PasswordResetRequested,
    SignInFailed,
)
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.services import attempts, one_time_secrets
from shared_apps.accounts.services.endings import end_all_sessions
from shared_apps.accounts.services.locks import require_person
from shared_apps.audit.services import record
from shared_apps.delivery.services import send_mail, send_secret_mail
from shared_apps.kernel import clock, ids
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import FieldError
from shared_apps.kernel.operations import step

logger = structlog.get_logger(__name__)

SIGN_IN_HERE = attempts.Limit(name="sign_in_here", attempts=5, window=timedelta(minutes=15))
SIGN_IN_PLACE = attempts.Limit(name="sign_in_place", attempts=60, window=timedelta(minutes=15))
SIGN_IN_ANYWHERE = attempts.Limit(name="sign_in", attempts=50, window=timedelta(hours=1))
RESET_ACCOUNT = attempts.Limit(name="reset", attempts=3, window=timedelta(minutes=15))
RESET_PLACE = attempts.Limit(name="reset_place", attempts=20, window=timedelta(minutes=15))
REDEEM_PLACE = attempts.Limit(name="redeem_place", attempts=30, window=timedelta(minutes=15))
PRESENT_PASSWORD = attempts.Limit(name="present_password", attempts=5, window=timedelta(minutes=15))

# Where somebody has been signed in lately, no stranger's failures keep that person out.
_FAMILIAR = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A counted attempt to come in: with which address, whose that is, and what counted it."""

    address: str
    user: User | None
    here: attempts.Counter
    others: tuple[attempts.Counter, ...]


@step
def require_credentials(*, email: str, password: str, actor: Actor) -> User:
    """The person whose address and password these are, if that person may come in.

    :raises CredentialsRefused: wrong address, wrong password, invited only, or deactivated.
    :raises TooManyAttempts: too many attempts for this address or from this place.
    """
    attempt = begin_attempt(email=email, actor=actor)
    user = attempt.user
    is_right = passwords.is_right(user=user, password=password)
    if user is None or not is_right or not user.is_active:
        with transaction.atomic():
            record_failure(attempt=attempt, actor=actor)
        raise CredentialsRefused
    forget_attempt(attempt=attempt)
    return user


@step
def begin_attempt(*, email: str, actor: Actor) -> Attempt:
    """Count an attempt to come in, before anything of it is looked at.

    :raises TooManyAttempts: too many attempts for this address or from this place.
    """
    address = normalise_email(email)
    place = attempts.place_of(ip_address=actor.ip_address)
    here = SIGN_IN_HERE.counter(address, place)
    others = (SIGN_IN_PLACE.counter(place), SIGN_IN_ANYWHERE.counter(address))
    exceeded = attempts.count(here, *others)
    user: User | None = User.objects.with_email(address).first()
    anywhere = exceeded.pop(others[1].id, None)
    if anywhere is not None and not _is_familiar(user=user, actor=actor):
        exceeded[others[1].id] = anywhere
    if exceeded:
        _refuse_for_now(address=address, exceeded=list(exceeded.values()), actor=actor)
    return Attempt(address=address, user=user, here=here, others=others)


@step
def forget_attempt(*, attempt: Attempt) -> None:
    """It was rightful: nothing of it counts."""
    attempts.forget(attempt.here)
    attempts.give_back(*attempt.others)


@step
def record_failure(*, attempt: Attempt, actor: Actor) -> None:
    """Write down that an attempt failed, for a known address and an unknown one alike."""
    _record_failure(address=attempt.address, reason="credentials", actor=actor, user=attempt.user)


def _is_familiar(*, user: User | None, actor: Actor) -> bool:
    # Asked for nobody too, so that it costs the same.
    familiar: bool = Session.objects.filter(
        user_id=user.id if user else _unknown(actor.ip_address),
        ip_address=actor.ip_address,
        last_seen_at__gte=clock.now() - _FAMILIAR,
    ).exists()
    return familiar


def _refuse_for_now(*, address: str, exceeded: list[attempts.Exceeded], actor: Actor) -> None:
    """:raises TooManyAttempts: always."""
    # One entry when the limit is met; the thousandth attempt after it says nothing new.
    if any(one.is_first for one in exceeded):
        with transaction.atomic():
            _record_failure(address=address, reason="too_many", actor=actor)
    logger.warning("sign_in_locked", limits=[one.counter.limit.name for one in exceeded])
    raise TooManyAttempts(retry_after=max(one.seconds for one in exceeded))


def _record_failure(*, address: str, reason: str, actor: Actor, user: User | None = None) -> None:
    record(
        SignInFailed(
            subject_id=user.id if user else _unknown(address),
            reason=reason,
            is_known=user is not None,
        ),
        actor=actor,
    )


def _unknown(address: str) -> UUID:
    """The subject of what is tried with an address that nobody has."""
    return ids.uuid8_from("unknown address", address)


@step
def require_present_password(*, password: str, field: str, actor: Actor) -> None:
    """Ask for the password again before something that a found phone must not be able to do.

    :raises PasswordWrong: it is not the present one; `field` is where it stood.
    :raises TooManyAttempts: it was guessed at too often.
    """
    counter = PRESENT_PASSWORD.counter(str(actor.user_id))
    count_or_refuse(counter=counter)
    user = User.objects.active().filter(pk=actor.user_id).first()
    if not passwords.is_right(user=user, password=password):
        raise PasswordWrong(
            errors=[FieldError.at(field, code="wrong", detail="It is not the present password.")]
        )
    attempts.forget(counter)


@step
def change_password(*, old_password: str, new_password: str, actor: Actor) -> int:
    """Give the actor a new password; every other session of theirs ends. How many those were.

    :raises PasswordWrong: the old password is not the present one.
    :raises PasswordTooWeak: a validator refuses the new one.
    :raises TooManyAttempts: the old password was guessed at too often.
    """
    require_present_password(password=old_password, field="old_password", actor=actor)
    with transaction.atomic():
        user = require_person(actor=actor)
        _set_password(user=user, password=new_password, field="new_password1")
        one_time_secrets.withdraw(user_id=user.id)
        ended = end_all_sessions(
            user_id=user.id,
            reason=Session.EndReason.CREDENTIALS_CHANGED,
            actor=actor,
            except_session_id=actor.session_id,
        )
        record(PasswordChanged(subject_id=user.id, sessions_ended=ended), actor=actor)
        _tell_about_new_password(user)
    return ended


@step
def request_password_reset(*, email: str, actor: Actor) -> None:
    """Have a reset link mailed to the address if somebody has it. The caller never learns.

    :raises TooManyAttempts: too many requests from this place.
    """
    address = normalise_email(email)
    place = RESET_PLACE.counter(attempts.place_of(ip_address=actor.ip_address))
    account = RESET_ACCOUNT.counter(address)
    exceeded = attempts.count(place, account)
    if place.id in exceeded:
        raise TooManyAttempts(retry_after=exceeded[place.id].seconds)
    if account.id in exceeded:
        # Nobody's mailbox is flooded. Saying so would tell that the address is watched.
        return
    user = User.objects.active().with_email(address).first()
    with transaction.atomic():
        record(
            PasswordResetRequested(
                subject_id=user.id if user else _unknown(address), is_known=user is not None
            ),
            actor=actor,
        )


@step
@transaction.atomic
def mail_reset_link(*, user_id: UUID) -> None:
    """Mail a link to a person who may come in; nothing happens for nobody.

    Earlier links stay good until they expire: else a stranger could keep a person's links dead
    by asking again and again. The first that is used ends the others.
    """
    user = User.objects.active().filter(pk=user_id).first()
    if user is None:
        return
    token = one_time_secrets.issue(user=user, purpose=one_time_secrets.Purpose.RESET)
    send_secret_mail(
        to=user.email,
        template="password_reset",
        context={
            "name": user.full_name,
            "link": links.link_to("reset-password", token=token),
            "token": token,
        },
    )


@step
def reset_password(*, token: str, new_password: str, actor: Actor) -> User:
    """Set a new password by the link that was mailed; every session of the person ends.

    :raises SecretRefused: the link is forged, expired, used, or of another organization.
    :raises PasswordTooWeak: a validator refuses the password; the link stays good.
    :raises TooManyAttempts: too many links were tried from this place.
    """
    place = attempts.place_of(ip_address=actor.ip_address)
    tries = REDEEM_PLACE.counter(place)
    count_or_refuse(counter=tries)
    with transaction.atomic():
        _, user = one_time_secrets.redeem(text=token, purpose=one_time_secrets.Purpose.RESET)
        if not user.is_active:
            raise SecretRefused
        _set_password(user=user, password=new_password, field="new_password1")
        one_time_secrets.withdraw(user_id=user.id)
        themselves = actor.changed(user_id=user.id)
        ended = end_all_sessions(
            user_id=user.id, reason=Session.EndReason.CREDENTIALS_CHANGED, actor=themselves
        )
        record(PasswordReset(subject_id=user.id, sessions_ended=ended), actor=themselves)
        _tell_about_new_password(user)
    # Whoever reads the person's mail may come in from here, however many strangers failed before.
    attempts.give_back(tries)
    attempts.forget(SIGN_IN_HERE.counter(user.email, place), SIGN_IN_ANYWHERE.counter(user.email))
    return user


@step
def count_or_refuse(*, counter: attempts.Counter) -> None:
    exceeded = attempts.count(counter)
    if exceeded:
        raise TooManyAttempts(retry_after=exceeded[counter.id].seconds)


def _set_password(*, user: User, password: str, field: str) -> None:
    passwords.require_strong(password=password, user=user, field=field)
    user.set_password(password)
    user.password_changed_at = clock.now()
    user.updated_by_id = user.id
    user.save(update_fields=["password", "password_changed_at", "updated_at", "updated_by_id"])


def _tell_about_new_password(user: User) -> None:
    send_mail(to=user.email, template="password_changed", context={"name": user.full_name})
