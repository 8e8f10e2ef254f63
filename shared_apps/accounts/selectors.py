"""What others read of people and sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from shared_apps.accounts import second_factor, security, step_up
from shared_apps.accounts.models import ApiKey, ApiKeyQuerySet, RecoveryCode, Session, User
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """How a session stands with its person's second factor."""

    state: second_factor.State
    channels: tuple[str, ...]
    is_demanded: bool
    enrolled_at: datetime | None
    recovery_codes_left: int


def live_sessions_of(*, user_id: UUID) -> QuerySet[Session]:
    """Where somebody is signed in."""
    sessions: QuerySet[Session] = Session.objects.live(at=clock.now()).filter(user_id=user_id)
    return sessions


def api_keys_visible_to(actor: Actor) -> ApiKeyQuerySet:
    """The actor's own API keys, and others' where the permission reaches."""
    keys: ApiKeyQuerySet = ApiKey.objects.select_related("user")
    others = actor.visible(ApiKey.objects.order_by(), "accounts.view_apikey").values("pk")
    return keys.filter(Q(user_id=actor.user_id) | Q(pk__in=others))


def second_factor_of(*, session: Session) -> SecondFactor:
    """How the session stands with its person's second factor."""
    user = session.user
    return SecondFactor(
        state=second_factor.state_of(session),
        channels=second_factor.channels_of(session),
        is_demanded=second_factor.is_demanded_of(user),
        enrolled_at=user.second_factor_enrolled_at,
        recovery_codes_left=RecoveryCode.objects.filter(user=user, used_at__isnull=True).count(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppingUp:
    """Which proof sensitive acts ask of a session, and until when the last one counts."""

    proof: step_up.Proof
    channels: tuple[str, ...]
    fresh_until: datetime | None


def stepping_up_of(*, session: Session) -> SteppingUp:
    """How the session stands with sensitive acts."""
    return SteppingUp(
        proof=step_up.proof_of(session),
        channels=second_factor.channels_of(session),
        fresh_until=step_up.fresh_until(session, security.security_settings()),
    )


def users_by_id(*, user_ids: Iterable[UUID]) -> Mapping[UUID, User]:
    """People by their ids; rows elsewhere name them by id only."""
    found: dict[UUID, User] = User.objects.in_bulk(set(user_ids))
    return found


def user_with_email(*, email: str) -> User | None:
    """The person who has the address, active or not."""
    user: User | None = User.objects.with_email(email).first()
    return user
