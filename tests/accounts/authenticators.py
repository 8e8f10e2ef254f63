"""What a person's phone does."""

import time
from base64 import b32decode

from django_otp.oath import TOTP

from shared_apps.accounts import services
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor


def code_of(secret: str, *, steps: int = 0) -> str:
    """The six digits of an authenticator, now or `steps` of thirty seconds away."""
    padded = secret + "=" * (-len(secret) % 8)
    totp = TOTP(b32decode(padded))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def wrong_code(secret: str) -> str:
    """Six digits that are right neither now nor a moment ago or hence."""
    right = {code_of(secret, steps=steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in right)


def enrol(user: User, *, actor: Actor) -> tuple[str, list[str]]:
    """A confirmed authenticator: its secret, and the recovery codes."""
    themselves = actor.changed(user_id=user.id)
    enrolment, codes = services.enrol_at_once(user_id=user.id, actor=themselves)
    return enrolment.secret, codes
