"""Actors before anybody's rights are known: a visitor, and a person acting on their own account.

Everything that needs a permission is asked of an actor that `access` builds.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from rest_framework.request import Request

from shared_apps.accounts.models import Session
from shared_apps.kernel.actor import Actor

_LONGEST_ADDRESS = 45
_LONGEST_AGENT = 300


def client_address(request: HttpRequest | Request) -> str:
    """The address of whoever calls, past the proxies that are ours and no further.

    Each proxy appends the address it was called from. So with `TRUSTED_PROXIES` of them in front,
    the entry at that place from the right was written by our own outermost one; everything left of
    it is whatever the caller liked to claim.
    """
    direct = str(request.META.get("REMOTE_ADDR") or "")
    trusted = settings.TRUSTED_PROXIES
    if trusted:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(hops) >= trusted and hops[-trusted]:
            direct = hops[-trusted]
    return direct.replace("\x00", "")[:_LONGEST_ADDRESS]


def visitor(request: HttpRequest | Request) -> Actor:
    """Somebody who has not signed in: only the place and the request are known."""
    return Actor(
        request_id=str(getattr(request, "request_id", "")),
        ip_address=client_address(request),
        user_agent=str(request.META.get("HTTP_USER_AGENT", "")).replace("\x00", "")[
            :_LONGEST_AGENT
        ],
    )


def oneself(request: Request) -> Actor:
    """The person who is signed in, acting on their own account and nothing else."""
    session: Session = request.auth
    return visitor(request).changed(user_id=session.user_id, session_id=session.id)
