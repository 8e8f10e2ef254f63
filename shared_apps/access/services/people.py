"""People of the organization: invited with their first roles, closed out, let in again.

Accounts does the work; here stands what only access knows: who may do it to whom, and that the
organization never ends up without an admin. They are declared steps because accounts records them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from shared_apps.access.administration import check_admin_remains, lock_memberships
from shared_apps.access.checker import reach_of
from shared_apps.access.errors import MembershipMissing
from shared_apps.access.selectors import administering_memberships, users_visible_to
from shared_apps.access.services.memberships import NewMembership, grant_memberships
from shared_apps.accounts import services as accounts
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step

INVITE = "accounts.add_user"
SHUT_OUT = "accounts.deactivate_user"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRole:
    """A role that an invited person is to hold in a unit."""

    unit_id: UUID
    role: str


@step
@transaction.atomic
def invite_person(
    *,
    actor: Actor,
    email: str,
    full_name: str,
    roles: Sequence[FirstRole] = (),
    language: str = "en",
) -> User:
    """Invite a person and give the first roles, which count once the person has come in.

    :raises Forbidden: the actor invites nobody, or may not give one of the roles.
    :raises MembershipMissing: a team lead invites somebody without placing them in the team.
    :raises EmailTaken: somebody has the address.
    """
    actor = lock_memberships(actor)
    actor.require(INVITE)
    if not roles and not reach_of(actor, INVITE).everywhere:
        raise MembershipMissing
    user = accounts.invite_user(email=email, full_name=full_name, language=language, actor=actor)
    wanted = [
        NewMembership(user_id=user.pk, unit_id=first.unit_id, role=first.role) for first in roles
    ]
    if wanted:
        grant_memberships(actor=actor, wanted=wanted)
    return user


@step
@transaction.atomic
def resend_invitation(*, actor: Actor, user_id: UUID) -> User:
    """Mail a new link to somebody who has not come in yet.

    :raises NotFound: there is no such person, or they are not visible.
    :raises Forbidden: the actor does not invite there.
    :raises AlreadyActivated: the person has come in, or was deactivated.
    """
    person = users_visible_to(actor).obtain(user_id)
    actor.require(INVITE, person)
    return accounts.resend_invitation(user_id=person.pk, actor=actor)


@step
@transaction.atomic
def withdraw_invitation(*, actor: Actor, user_id: UUID) -> User:
    """Make an invitation worthless.

    :raises NotFound: there is no such person, or they are not visible.
    :raises Forbidden: the actor does not invite there.
    :raises AlreadyActivated: the person has come in, or was deactivated.
    """
    person = users_visible_to(actor).obtain(user_id)
    actor.require(INVITE, person)
    return accounts.withdraw_invitation(user_id=person.pk, actor=actor)


@step
@transaction.atomic
def deactivate_person(*, actor: Actor, user_id: UUID) -> User:
    """Close the door on a person; sessions end and all roles rest from this moment.

    :raises NotFound: there is no such person, or they are not visible.
    :raises Forbidden: the actor does not deactivate people.
    :raises CannotDeactivateSelf: it is the actor.
    :raises AlreadyDeactivated: it was done before.
    :raises LastAdmin: nobody would administer the organization any more.
    """
    actor = lock_memberships(actor)
    person = users_visible_to(actor).obtain(user_id)
    actor.require(SHUT_OUT, person)
    user = accounts.deactivate_user(user_id=person.pk, actor=actor)
    if administering_memberships().filter(user=user, is_active=True).exists():
        check_admin_remains()
    return user


@step
@transaction.atomic
def reactivate_person(*, actor: Actor, user_id: UUID) -> User:
    """Let a deactivated person in again, with the roles held before.

    :raises NotFound: there is no such person, or they are not visible.
    :raises Forbidden: the actor does not reactivate people.
    :raises NotDeactivated: the door is not closed.
    """
    actor = lock_memberships(actor)
    person = users_visible_to(actor).obtain(user_id)
    actor.require(SHUT_OUT, person)
    user = accounts.reactivate_user(user_id=person.pk, actor=actor)
    return user


@step
@transaction.atomic
def reset_second_factor(*, actor: Actor, user_id: UUID) -> User:
    """Remove a person's second factor, for whoever lost the device.

    :raises NotFound: there is no such person, or they are not visible.
    :raises Forbidden: the actor does not reset second factors.
    :raises NotEnrolled: the person has none.
    """
    person = users_visible_to(actor).obtain(user_id)
    actor.require("accounts.reset_second_factor", person)
    accounts.reset_second_factor(user_id=person.pk, actor=actor)
    person.refresh_from_db()
    return person
