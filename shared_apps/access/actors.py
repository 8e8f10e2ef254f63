"""Makes the ``Actor`` for the API, for pages and for tasks alike."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request

from shared_apps.accounts import api_keys
from shared_apps.accounts.models import ApiKey
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor, AllowsEverything
from shared_apps.kernel.api.requests import client_address, request_id_of, user_agent
from shared_apps.kernel.errors import NotAuthenticated
from shared_apps.kernel.ids import uuid7

from .checker import AccessChecker
from .selectors import access_of


def actor_for_request(request: Request) -> Actor:
    """The person behind an authenticated request, with what the memberships give right now.

    An API key acts as its owner, with no more than its own permissions; its id stands in the place
    of the session's.

    :raises NotAuthenticated: nobody is signed in.
    """
    user = request.user
    session = request.auth
    if user is None or not user.is_authenticated or session is None:
        raise NotAuthenticated
    access = access_of(user_id=user.pk)
    if isinstance(session, ApiKey):
        access = access.narrowed(_lent_by(session))
    return Actor(
        user_id=user.pk,
        session_id=session.pk,
        request_id=request_id_of(request),
        roles=access.roles,
        ip_address=client_address(request),
        user_agent=user_agent(request),
        checker=AccessChecker(access),
    )


def actor_for_user(
    *,
    user_id: UUID,
    request_id: str | None = None,
    quiet: bool = False,
    api_key_id: UUID | None = None,
) -> Actor:
    """A person for whom a task acts, with what the memberships give right now.

    Where an API key asked for the task, no more than the key lends now: nothing once it has ended.
    """
    access = access_of(user_id=user_id)
    if api_key_id is not None:
        live = ApiKey.objects.live(at=clock.now()).filter(pk=api_key_id, user_id=user_id)
        key: ApiKey | None = live.first()
        access = access.narrowed(frozenset() if key is None else _lent_by(key))
    return Actor(
        user_id=user_id,
        session_id=api_key_id,
        request_id=request_id or str(uuid7()),
        roles=access.roles,
        quiet=quiet,
        checker=AccessChecker(access),
    )


def api_key_of(actor: Actor) -> UUID | None:
    """The API key behind an actor, for what is done later in its name; None for a person."""
    checker = actor.checker
    is_key = isinstance(checker, AccessChecker) and checker.access.only is not None
    return actor.session_id if is_key else None


def system_actor(label: str, *, request_id: str | None = None, quiet: bool = False) -> Actor:
    """The system itself, which may do everything; the audit says ``system:<label>``."""
    return Actor(
        request_id=request_id or str(uuid7()),
        label=f"system:{label}",
        quiet=quiet,
        checker=AllowsEverything(),
    )


def renewed(actor: Actor) -> Actor:
    """The same actor with the rights of this moment, read again.

    For acts that must not rest on what was held when the request began: call it after the lock.
    """
    if actor.is_system or actor.user_id is None:
        return actor
    access = access_of(user_id=actor.user_id)
    former = actor.checker.access.only if isinstance(actor.checker, AccessChecker) else None
    if former is not None:
        access = access.narrowed(former)
    return actor.changed(roles=access.roles, checker=AccessChecker(access))


def _lent_by(key: ApiKey) -> frozenset[str]:
    # Asked here as well: what no key can carry today may have been lent when it still could.
    return frozenset(name for name in key.permissions if not api_keys.is_for_people(name))
