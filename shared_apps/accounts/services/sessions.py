"""Sessions: begun by a proof, kept alive by refreshing, ended by anybody entitled to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Least
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings

from shared_apps.accounts import devices, second_factor, security
from shared_apps.accounts.errors import CredentialsRefused, RefreshRefused, SessionUnknown
from shared_apps.accounts.events import SessionNamed, SessionReuseDetected, SessionStarted
from shared_apps.accounts.models import Session, User
from shared_apps.accounts.services.credentials import require_credentials
from shared_apps.accounts.services.endings import end, end_all_sessions
from shared_apps.accounts.services.locks import require_person
from shared_apps.accounts.tokens import (
    SESSION_CLAIM,
    RefreshToken,
    TokenPair,
    successor_of,
    token_pair,
)
from shared_apps.audit.services import record
from shared_apps.delivery.services import send_mail
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step

# A page that refreshes in two tabs at once must not look like a thief.
GRACE = timedelta(seconds=10)
# A device that was not used for so long is a new one again.
_REMEMBERED = timedelta(days=90)
_SEEN_AT_MOST = 200
# Whoever signs in once more leaves the session that was used least recently.
MOST_SESSIONS = 50
_AGENT_LENGTH = Session._meta.get_field("user_agent").max_length or 0

EndReason = Session.EndReason
_BY_PASSWORD = (Session.Method.CREDENTIALS, Session.Method.INVITATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A session and the tokens that carry it; they are shown once."""

    session: Session
    tokens: TokenPair

    @property
    def user(self) -> User:
        return self.session.user


@step
def sign_in(*, email: str, password: str, actor: Actor) -> SignIn:
    """Begin a session for whoever knows the password.

    :raises CredentialsRefused: address or password is wrong, or the person may not come in.
    :raises TooManyAttempts: too many attempts for this address or from this place.
    """
    user = require_credentials(email=email, password=password, actor=actor)
    with transaction.atomic():
        # Between the check and here the person may have been deactivated or changed the password.
        locked = User.objects.active().filter(password=user.password).for_change()
        user = locked.filter(pk=user.pk).first()
        if user is None:
            raise CredentialsRefused
        return start_session(user=user, method=Session.Method.CREDENTIALS, actor=actor)


@step
def start_session(
    *, user: User, method: str, actor: Actor, second_factor_at: datetime | None = None
) -> SignIn:
    """The proof has been given to the caller, who has also locked the person's row."""
    now = clock.now()
    settings = security.security_settings()
    is_new_device = _is_new_device(user, at=now, actor=actor)
    session = Session.objects.create(
        user=user,
        method=method,
        current_token_id=uuid4(),
        second_factor_at=second_factor_at,
        password_at=now if method in _BY_PASSWORD else None,
        demanded_factor=second_factor.factor_for(user),
        ip_address=actor.ip_address,
        user_agent=actor.user_agent[:_AGENT_LENGTH],
        last_seen_at=now,
        expires_at=now + min(security.idle_life(settings), security.whole_life(settings)),
        created_by_id=user.id,
    )
    themselves = actor.changed(user_id=user.id, session_id=session.id)
    live = Session.objects.filter(user=user, revoked_at__isnull=True, expires_at__gt=now)
    # The password alone must not push out what has shown its second factor; the new one stays.
    order = (F("second_factor_at").desc(nulls_last=True), "-last_seen_at", "-pk")
    others = live.exclude(pk=session.pk).order_by(*order).for_change()
    surplus = list(others[MOST_SESSIONS - 1 :])
    if surplus:
        end(sessions=surplus, reason=EndReason.SURPLUS, actor=themselves)
    record(
        SessionStarted(
            subject_id=session.id, user_id=user.id, method=method, is_new_device=is_new_device
        ),
        actor=themselves,
    )
    if is_new_device and not actor.quiet:
        _tell_about_new_device(session)
    return SignIn(session=session, tokens=token_pair(session=session))


def _is_new_device(user: User, *, at: datetime, actor: Actor) -> bool:
    """Whether the person was signed in before, and not lately by this program from around here."""
    former = Session.objects.filter(user=user)
    seen = former.filter(last_seen_at__gt=at - _REMEMBERED).order_by("-last_seen_at")
    pairs = list(seen.values_list("user_agent", "ip_address")[:_SEEN_AT_MOST])
    if not pairs and not former.exists():
        return False
    program = actor.user_agent[:_AGENT_LENGTH]
    return not devices.is_known(program=program, address=actor.ip_address, seen=pairs)


def _tell_about_new_device(session: Session) -> None:
    send_mail(
        to=session.user.email,
        template="new_device",
        context={
            "name": session.user.full_name,
            "at": session.created_at.strftime("%Y-%m-%d %H:%M UTC"),
            "program": session.user_agent or "a program that does not say its name",
            "address": session.ip_address or "an unknown address",
        },
    )


@step
@transaction.atomic
def name_session(*, session_id: UUID, name: str, actor: Actor) -> Session:
    """Say what one of the actor's own devices is called.

    :raises SessionUnknown: the actor has no such live session.
    """
    user = require_person(actor=actor)
    own = Session.objects.live(at=clock.now()).filter(user=user)
    session: Session | None = own.filter(pk=session_id).for_change().first()
    if session is None:
        raise SessionUnknown
    if session.name != name:
        session.name = name
        session.save(update_fields=["name", "updated_at"])
        record(SessionNamed(subject_id=session.id, user_id=user.id), actor=actor)
    return session


@step
def refresh_session(*, refresh_token: str, actor: Actor) -> SignIn:
    """Exchange the current refresh token of a session for the next pair.

    One conditional UPDATE decides who rotates. Whoever comes with the same token within
    `GRACE` gets the same successor; whoever comes later holds a copy, and the session ends.

    :raises RefreshRefused: forged, expired, spent, of another organization, or of an ended session.
    """
    try:
        token = RefreshToken(refresh_token)
        session_id = token.claimed_id(SESSION_CLAIM)
        token_id = token.claimed_id(api_settings.JTI_CLAIM)
    except TokenError:
        raise RefreshRefused from None
    session = _rotated(session_id=session_id, token_id=token_id, actor=actor)
    if session is None:
        _end_if_reused(session_id=session_id, token_id=token_id, actor=actor)
        raise RefreshRefused
    return SignIn(session=session, tokens=token_pair(session=session))


def _rotated(*, session_id: UUID, token_id: UUID, actor: Actor) -> Session | None:
    """The session with the successor as its current token, None where the token is not good."""
    now = clock.now()
    settings = security.security_settings()
    whole_life = security.whole_life(settings)
    successor = successor_of(session_id=session_id, token_id=token_id)
    # A correlated EXISTS and no join: a joined UPDATE would become a subquery on the session's own
    # table, which a waiting second UPDATE would not look at again after the first one commits.
    person_may_come_in = Exists(User.objects.active().filter(pk=OuterRef("user_id")))
    Session.objects.filter(
        person_may_come_in,
        pk=session_id,
        current_token_id=token_id,
        revoked_at__isnull=True,
        expires_at__gt=now,
        created_at__gt=now - whole_life,
    ).update(
        previous_token_id=token_id,
        current_token_id=successor,
        rotated_at=now,
        last_seen_at=now,
        updated_at=now,
        # Never beyond its whole life: whatever asks whether it lives asks this.
        expires_at=Least(now + security.idle_life(settings), F("created_at") + whole_life),
        ip_address=actor.ip_address,
        user_agent=actor.user_agent[:_AGENT_LENGTH],
    )
    # Whether it was this statement that rotated or one a moment ago makes no difference.
    return (
        Session.objects.live(at=now)
        .select_related("user")
        .filter(
            pk=session_id,
            previous_token_id=token_id,
            current_token_id=successor,
            rotated_at__gte=now - GRACE,
        )
        .first()
    )


@transaction.atomic
def _end_if_reused(*, session_id: UUID, token_id: UUID, actor: Actor) -> None:
    """End the session when the token was one of its own and is spent."""
    session = Session.objects.filter(pk=session_id, revoked_at__isnull=True).for_change().first()
    if session is None or session.current_token_id == token_id:
        return
    whose = actor.changed(session_id=session.id)
    end(sessions=[session], reason=EndReason.REUSE, actor=whose)
    record(SessionReuseDetected(subject_id=session.id, user_id=session.user_id), actor=whose)


@step
@transaction.atomic
def sign_out(*, refresh_token: str, actor: Actor) -> None:
    """End the session that a refresh token belongs to. A token that is not good ends nothing.

    Whoever signs out is not told whether there was anything to end.
    """
    try:
        token = RefreshToken(refresh_token)
        session_id = token.claimed_id(SESSION_CLAIM)
    except TokenError:
        return
    live = Session.objects.filter(pk=session_id, revoked_at__isnull=True).for_change()
    for session in live:
        themselves = actor.changed(user_id=session.user_id, session_id=session.id)
        end(sessions=[session], reason=EndReason.SIGNED_OUT, actor=themselves)


@step
@transaction.atomic
def end_session(*, session_id: UUID, actor: Actor) -> None:
    """End one of the actor's own sessions, the present one included.

    :raises SessionUnknown: the actor has no such live session.
    """
    user = require_person(actor=actor)
    own = Session.objects.filter(user=user, revoked_at__isnull=True)
    session = own.filter(pk=session_id).for_change().first()
    if session is None:
        raise SessionUnknown
    is_present = session_id == actor.session_id
    reason = EndReason.SIGNED_OUT if is_present else EndReason.REVOKED
    end(sessions=[session], reason=reason, actor=actor)


@step
@transaction.atomic
def end_other_sessions(*, actor: Actor) -> int:
    """End all of the actor's sessions but the present one; how many there were."""
    user = require_person(actor=actor)
    own = Session.objects.filter(user=user, revoked_at__isnull=True)
    others = list(own.exclude(pk__in=[actor.session_id]).order_by("pk").for_change())
    return len(end(sessions=others, reason=EndReason.REVOKED, actor=actor))


@step
@transaction.atomic
def end_sessions_of(*, user_id: UUID, actor: Actor) -> int:
    """End all of somebody's sessions; how many there were."""
    actor.require("accounts.deactivate_user")
    return end_all_sessions(user_id=user_id, reason=EndReason.REVOKED, actor=actor)
