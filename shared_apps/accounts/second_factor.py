"""Who must have a second factor, and what a session without it may still do.

Accounts knows no roles. Whoever does registers a policy at start-up, and how roles are found:

    second_factor.register_policy(is_admin)
    second_factor.register_roles(roles_of)

Beside these stand the organization's own policies (`SignInPolicy`). They are read when a session
begins, and what they ask for is kept on the session: a change takes effect at the next sign-in.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from shared_apps.accounts.errors import SecondFactorEnrolmentRequired, SecondFactorRequired
from shared_apps.accounts.models import Channel, Factor, Session, SignInPolicy, User
from shared_apps.delivery import sms

Policy = Callable[[User], bool]
RolesOf = Callable[[UUID], tuple[str, ...]]

CHANNELS = {
    Factor.ANY_CODE: (Channel.EMAIL, Channel.SMS),
    Factor.EMAIL_CODE: (Channel.EMAIL,),
    Factor.SMS_CODE: (Channel.SMS,),
}
EVERYBODY = ""

_policies: list[Policy] = []
_roles_of: list[RolesOf] = []


class State(StrEnum):
    """What a session's second factor still asks for."""

    SETTLED = "settled"
    TO_VERIFY = "to_verify"
    TO_ENROL = "to_enrol"


def register_policy(policy: Policy) -> Policy:
    """Demand an authenticator of everybody for whom the policy answers True."""
    if policy not in _policies:
        _policies.append(policy)
    return policy


def register_roles(roles_of: RolesOf) -> None:
    """Tell the codes of the roles that a person holds."""
    if roles_of not in _roles_of:
        _roles_of.append(roles_of)


def is_demanded_of(user: User) -> bool:
    """Whether an authenticator is demanded of this person, by whichever policy."""
    return factor_for(user) is Factor.TOTP


def factor_for(user: User) -> Factor:
    """What is asked of a person beside the password: the strictest of all policies."""
    if any(policy(user) for policy in _policies):
        return Factor.TOTP
    asked = dict(SignInPolicy.objects.values_list("role", "factor"))
    if not asked:
        return Factor.PASSWORD
    held = {EVERYBODY}
    if asked.keys() != held:
        for roles_of in _roles_of:
            held.update(roles_of(user.pk))
    factors = [_deliverable(Factor(factor)) for role, factor in asked.items() if role in held]
    return max(factors, key=lambda factor: factor.strictness, default=Factor.PASSWORD)


def _deliverable(factor: Factor) -> Factor:
    """A policy may be older than the day on which SMS ceased to be sent: nobody is locked out."""
    if factor is Factor.SMS_CODE and not sms.can_be_sent():
        return Factor.EMAIL_CODE
    return factor


def channels_of(session: Session) -> tuple[Channel, ...]:
    """By which ways a code can be sent to the session's person; none where none is asked for."""
    if session.user.second_factor_enrolled_at is not None:
        return ()
    allowed = CHANNELS.get(Factor(session.demanded_factor), ())
    return tuple(channel for channel in allowed if channel != Channel.SMS or session.user.phone)


def is_shown_by_message(session: Session) -> bool:
    """Whether the session's second factor is a code by e-mail or SMS, shown or not yet."""
    return bool(channels_of(session))


def known_state_of(session: Session) -> State | None:
    """What is still to be done as far as the session and its person tell, without a query.

    None: they tell nothing, and a role may still demand an authenticator.
    """
    if session.second_factor_at is not None:
        return State.SETTLED
    if session.user.second_factor_enrolled_at is not None or channels_of(session):
        return State.TO_VERIFY
    # An authenticator, or a code by SMS for somebody who has no phone: an authenticator then.
    return State.TO_ENROL if session.demanded_factor != Factor.PASSWORD else None


def state_of(session: Session) -> State:
    """What is still to be done. Policies are asked only where the session's row does not tell."""
    known = known_state_of(session)
    if known is not None:
        return known
    demanded = any(policy(session.user) for policy in _policies)
    return State.TO_ENROL if demanded else State.SETTLED


def require_known(session: Session) -> bool:
    """Let pass what the row does not refuse; whether it says that the factor is settled.

    :raises SecondFactorRequired: the session has still to show its second factor.
    :raises SecondFactorEnrolmentRequired: one is demanded and there is none.
    """
    return _require(known_state_of(session))


def require_settled(session: Session) -> None:
    """Let only sessions pass whose second factor is settled.

    :raises SecondFactorRequired: the person has one and has not shown it in this session.
    :raises SecondFactorEnrolmentRequired: the person's role demands one and there is none.
    """
    _require(state_of(session))


def _require(state: State | None) -> bool:
    if state is State.TO_VERIFY:
        raise SecondFactorRequired
    if state is State.TO_ENROL:
        raise SecondFactorEnrolmentRequired
    return state is State.SETTLED
