"""The two tokens a session is carried by, each sealed for one organization.

Both are JWTs of simplejwt. They say only which session they belong to: whether that session is
alive is a question for the database, asked with every request.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken as SimpleAccessToken
from rest_framework_simplejwt.tokens import Token

from shared_apps.accounts.models import Session
from tenants.context import tenant_marker

ORGANIZATION_CLAIM = "org"
SESSION_CLAIM = "sid"
USER_CLAIM = "user_id"
LONGEST_TOKEN = 4096


class _SealedToken(Token):
    """A token that only the organization which issued it accepts."""

    def __init__(self, token: Any = None, verify: bool = True) -> None:
        if token is not None and len(token) > LONGEST_TOKEN:
            raise TokenError("Token is invalid")
        super().__init__(token, verify)
        if token is None:
            self[ORGANIZATION_CLAIM] = tenant_marker()

    def verify(self) -> None:
        super().verify()
        if self.payload.get(ORGANIZATION_CLAIM) != tenant_marker():
            raise TokenError("Token is invalid")

    def claimed_id(self, claim: str) -> UUID:
        """An id that the token carries.

        :raises TokenError: it carries none.
        """
        try:
            return UUID(self.payload[claim])
        except (KeyError, ValueError, TypeError, AttributeError):
            raise TokenError("Token is invalid") from None


class AccessToken(_SealedToken, SimpleAccessToken):
    """Opens the API for five minutes, while its session lives."""


class RefreshToken(_SealedToken):
    """Fetches the next pair once. Its state is the session's row, not a list of spent tokens."""

    token_type = "refresh"  # noqa: S105  (the name of a kind, not a secret)
    lifetime = api_settings.REFRESH_TOKEN_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    access: str
    refresh: str


def token_pair(*, session: Session) -> TokenPair:
    """An access token for the session, and the refresh token that is current in it."""
    access, refresh = AccessToken(), RefreshToken()
    for token in (access, refresh):
        token[USER_CLAIM] = str(session.user_id)
        token[SESSION_CLAIM] = str(session.id)
    refresh[api_settings.JTI_CLAIM] = str(session.current_token_id)
    return TokenPair(access=str(access), refresh=str(refresh))


def successor_of(*, session_id: UUID, token_id: UUID) -> UUID:
    """The id of the refresh token that follows another in its family.

    It is derived and not drawn, so that two refreshes of one token at the same moment, neither
    of which sees the other, arrive at the same next token.
    """
    text = f"refresh|{tenant_marker()}|{session_id}|{token_id}"
    digest = hmac.new(settings.SECRET_KEY.encode(), text.encode(), hashlib.sha256).digest()
    return UUID(bytes=digest[:16])
