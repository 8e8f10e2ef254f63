"""Obtaining the person an operation is about, locked until the transaction ends."""

from __future__ import annotations

from uuid import UUID

from shared_apps.accounts.errors import UserUnknown
from shared_apps.accounts.models import User
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import NotAuthenticated, NotFound
from shared_apps.kernel.operations import step


@step
def locked_user(*, user_id: UUID) -> User:
    """The person, active or not.

    :raises UserUnknown: there is no such person.
    """
    try:
        user: User = User.objects.locked(user_id)
    except NotFound:
        raise UserUnknown from None
    return user


@step
def require_person(*, actor: Actor) -> User:
    """The actor as a person who may come in; what people do with their own account needs no more.

    :raises NotAuthenticated: the actor is nobody, or was deactivated a moment ago.
    """
    user: User | None = None
    if actor.user_id is not None:
        user = User.objects.active().filter(pk=actor.user_id).for_change().first()
    if user is None:
        raise NotAuthenticated
    return user
