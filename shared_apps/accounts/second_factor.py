"""Who must have a second factor, and what a session without it may still do.

Accounts knows no roles. Whoever does registers a policy at start-up:

    second_factor.register_policy(is_admin)
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from shared_apps.accounts.errors import SecondFactorEnrolmentRequired, SecondFactorRequired
from shared_apps.accounts.models import Session, User

Policy = Callable[[User], bool]

_policies: list[Policy] = []


class State(StrEnum):
    """What a session's second factor still asks for."""

    SETTLED = "settled"
    TO_VERIFY = "to_verify"
    TO_ENROL = "to_enrol"


def register_policy(policy: Policy) -> Policy:
    """Demand a second factor of everybody for whom the policy answers True."""
    if policy not in _policies:
        _policies.append(policy)
    return policy


def is_demanded_of(user: User) -> bool:
    """Whether any policy demands a second factor of this person."""
    return any(policy(user) for policy in _policies)


def state_of(session: Session) -> State:
    """What is still to be done. Policies are asked only where the session's row does not tell."""
    if session.second_factor_at is not None:
        return State.SETTLED
    if session.user.second_factor_enrolled_at is not None:
        return State.TO_VERIFY
    return State.TO_ENROL if is_demanded_of(session.user) else State.SETTLED


def require_settled(session: Session) -> None:
    """Let only sessions pass whose second factor is settled.

    :raises SecondFactorRequired: the person has one and has not shown it in this session.
    :raises SecondFactorEnrolmentRequired: the person's role demands one and there is none.
    """
    state = state_of(session)
    if state is State.TO_VERIFY:
        raise SecondFactorRequired
    if state is State.TO_ENROL:
        raise SecondFactorEnrolmentRequired
