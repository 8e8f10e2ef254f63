"""Actors before anybody's rights are known: a visitor, and a person acting on their own account.

Everything that needs a permission is asked of an actor that `access` builds.
"""

from __future__ import annotations

from typing import Any, cast

from django.http import HttpRequest
from rest_framework.request import Request

from shared_apps.accounts.errors import NotForApiKeys
from shared_apps.accounts.models import ApiKey, Session
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.api.requests import client_address, request_id_of, user_agent


def visitor(request: HttpRequest | Request) -> Actor:
    """Somebody who has not signed in: only the place and the request are known."""
    return Actor(
        request_id=request_id_of(request),
        ip_address=client_address(request),
        user_agent=user_agent(request),
    )


def session_of(request: Request) -> Session:
    """The live session of an authenticated request; REST framework's hint knows only tokens.

    :raises NotForApiKeys: the request came with an API key, which has no session.
    """
    session: Any = request.auth
    if isinstance(session, ApiKey):
        raise NotForApiKeys
    return cast(Session, session)


def oneself(request: Request) -> Actor:
    """The person who is signed in, acting on their own account and nothing else."""
    session = session_of(request)
    return visitor(request).changed(user_id=session.user_id, session_id=session.id)
