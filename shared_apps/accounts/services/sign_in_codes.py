"""Six digits by e-mail or SMS, where a policy asks for them beside the password.

Only a session that has shown the password gets one, so neither sending nor trying tells a stranger
whether an address is known. What is counted is counted before it is looked at, as with passwords.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from shared_apps.accounts import second_factor
from shared_apps.accounts.errors import ChannelRefused, NoCodeAsked, TooManyAttempts
from shared_apps.accounts.events import SecondFactorFailed, SignInCodeSent
from shared_apps.accounts.models import Channel, Session, SignInCode
from shared_apps.accounts.services import attempts
from shared_apps.accounts.services.locks import require_person
from shared_apps.audit.services import record
from shared_apps.delivery import sms
from shared_apps.delivery.services import send_secret_mail, send_secret_sms
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotAuthenticated
from shared_apps.kernel.operations import step
from tenants.context import tenant_marker

LIFETIME = timedelta(minutes=5)
MOST_FAILURES = 5

SENT_TO_PERSON = attempts.Limit(name="code_sent", attempts=5, window=timedelta(minutes=15))
SENT_FROM_PLACE = attempts.Limit(name="code_sent_place", attempts=30, window=timedelta(minutes=15))
TRIED_BY_PERSON = attempts.Limit(name="code_tried", attempts=15, window=timedelta(minutes=15))
TRIED_FROM_PLACE = attempts.Limit(
    name="code_tried_place", attempts=60, window=timedelta(minutes=15)
)


@step
def send_sign_in_code(*, channel: str, actor: Actor) -> None:
    """Send a new code for the present session; an earlier one stops working.

    :raises NoCodeAsked: no code by message is asked of the session.
    :raises ChannelRefused: the policy does not allow the channel, or the person has no phone.
    :raises TooManyAttempts: too many codes were sent to this person or from this place.
    """
    _count_all(
        SENT_TO_PERSON.counter(str(actor.user_id)),
        SENT_FROM_PLACE.counter(attempts.place_of(ip_address=actor.ip_address)),
    )
    with transaction.atomic():
        session = _present_session(actor)
        allowed = second_factor.channels_of(session)
        if not allowed:
            raise NoCodeAsked
        if channel not in allowed or (channel == Channel.SMS and not sms.can_be_sent()):
            raise ChannelRefused(extra={"channels": [str(each) for each in allowed]})
        code = f"{secrets.randbelow(10**6):06d}"
        SignInCode.objects.filter(session=session).delete()
        SignInCode.objects.create(
            session=session,
            channel=channel,
            code_hash=_hash(session, code),
            expires_at=clock.now() + LIFETIME,
        )
        _send(session, channel=channel, code=code)
        record(SignInCodeSent(subject_id=session.user_id, channel=channel), actor=actor)


@step
def try_sign_in_code(*, code: str, actor: Actor) -> bool:
    """Whether it is the present session's code; it is used up if it is, and counted if it is not.

    The caller has counted the attempt, and its transaction must commit either way.

    :raises NoCodeAsked: no code by message is asked of the session any more.
    """
    session = _present_session(actor)
    if not second_factor.channels_of(session):
        # An authenticator was enrolled meanwhile: no message stands for it.
        raise NoCodeAsked
    live = SignInCode.objects.filter(session=session, expires_at__gt=clock.now())
    kept = live.select_for_update().first()
    if kept is not None and hmac.compare_digest(kept.code_hash, _hash(session, code)):
        kept.delete()
        return True
    if kept is not None:
        kept.failures += 1
        if kept.failures >= MOST_FAILURES:
            kept.delete()
        else:
            kept.save(update_fields=["failures", "updated_at"])
    record(SecondFactorFailed(subject_id=session.user_id), actor=actor)
    return False


@step
def count_tries(*, actor: Actor) -> None:
    """:raises TooManyAttempts: too many codes were tried by this person or from this place."""
    _count_all(
        TRIED_BY_PERSON.counter(str(actor.user_id)),
        TRIED_FROM_PLACE.counter(attempts.place_of(ip_address=actor.ip_address)),
    )


@step
def is_asked_of(*, actor: Actor) -> bool:
    """Whether the present session shows a code by e-mail or SMS, now or once more."""
    sessions = Session.objects.select_related("user").filter(pk__in=[actor.session_id])
    session: Session | None = sessions.first()
    return session is not None and bool(second_factor.channels_of(session))


@step
def is_still_asked_of(*, actor: Actor) -> bool:
    """Whether the present session has not shown its code by e-mail or SMS yet."""
    unsettled = Session.objects.filter(pk__in=[actor.session_id], second_factor_at__isnull=True)
    return unsettled.exists() and is_asked_of(actor=actor)


def _count_all(*counters: attempts.Counter) -> None:
    exceeded = attempts.count(*counters)
    if exceeded:
        raise TooManyAttempts(retry_after=max(one.seconds for one in exceeded.values()))


def _present_session(actor: Actor) -> Session:
    """The present session with its person, both locked."""
    user = require_person(actor=actor)
    own = Session.objects.live(at=clock.now()).filter(user=user, pk__in=[actor.session_id])
    session: Session | None = own.for_change().first()
    if session is None:
        raise NotAuthenticated
    session.user = user
    return session


def _send(session: Session, *, channel: str, code: str) -> None:
    context = {
        "name": session.user.full_name,
        "code": code,
        "minutes": int(LIFETIME.total_seconds() // 60),
    }
    if channel == Channel.SMS:
        send_secret_sms(to=session.user.phone, template="sign_in_code", context=context)
    else:
        send_secret_mail(to=session.user.email, template="sign_in_code", context=context)


def _hash(session: Session, code: str) -> str:
    text = f"sign_in_code|{tenant_marker()}|{session.user_id}|{session.pk}|{code}"
    return hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
