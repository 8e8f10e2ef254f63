"""A fresh proof before sensitive acts.

A view says which of its operations are sensitive:

    step_up = frozenset({"create", "destroy"})       # always
    step_up_for_money = frozenset({"signature"})     # where the organization asks for it

What is asked is the person's second factor, or the password of somebody who has none. It is kept
on the session, and counts for as many minutes as the organization says.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from shared_apps.accounts import second_factor
from shared_apps.accounts.errors import StepUpRequired
from shared_apps.accounts.models import SecuritySettings, Session
from shared_apps.accounts.security import security_settings
from shared_apps.kernel import clock

ADDRESS = "/api/v1/step-up/"


class Proof(StrEnum):
    """What a session shows before something sensitive."""

    AUTHENTICATOR = "authenticator"
    MESSAGE = "message"
    PASSWORD = "password"  # noqa: S105  (the name of a kind, not a secret)


def proof_of(session: Session) -> Proof:
    """What is asked of the session's person."""
    if session.user.second_factor_enrolled_at is not None:
        return Proof.AUTHENTICATOR
    return Proof.MESSAGE if second_factor.channels_of(session) else Proof.PASSWORD


def shown_at(session: Session) -> datetime | None:
    """When the session showed that proof last."""
    if proof_of(session) is not Proof.PASSWORD:
        return session.second_factor_at
    shown = [moment for moment in (session.second_factor_at, session.password_at) if moment]
    return max(shown, default=None)


def fresh_until(session: Session, settings: SecuritySettings) -> datetime | None:
    """Until when the session's proof counts as fresh; None where it does not any more."""
    shown = shown_at(session)
    if shown is None:
        return None
    until = shown + timedelta(minutes=settings.step_up_minutes)
    return until if until > clock.now() else None


def require_fresh(session: Session, *, for_money: bool = False) -> None:
    """Let pass only sessions whose proof is fresh; money, where the organization asks for it.

    :raises StepUpRequired: the proof is too old, or there is none.
    """
    settings = security_settings()
    if for_money and not settings.step_up_for_money:
        return
    if fresh_until(session, settings) is None:
        raise StepUpRequired(
            extra={
                "step_up": {
                    "address": ADDRESS,
                    "proof": str(proof_of(session)),
                    "channels": [str(channel) for channel in second_factor.channels_of(session)],
                }
            }
        )
