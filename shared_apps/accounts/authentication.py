"""Who calls: the session behind an access token, or the API key, alive at this moment."""

from __future__ import annotations

import hmac

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from shared_apps.accounts import api_keys
from shared_apps.accounts.actors import visitor
from shared_apps.accounts.errors import ApiKeyRefused, SessionOver, TokenExpired, TokenRefused
from shared_apps.accounts.models import ApiKey, Session, User
from shared_apps.accounts.services import require_place
from shared_apps.accounts.tokens import SESSION_CLAIM, USER_CLAIM, AccessToken
from shared_apps.kernel import clock


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`: `request.user`, and the session as `request.auth`."""

    def authenticate(self, request: Request) -> tuple[User, Session] | None:  # type: ignore[override]
        """Session and user in one query; see the base class.

        :raises TokenRefused: the header or the token in it is not good.
        :raises TokenExpired: it was good once.
        :raises SessionOver: its session has ended.
        """
        header = self.get_header(request)
        if not header:
            return None
        parts = header.split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        if len(parts) != 2:
            raise TokenRefused("The Authorization header is malformed.")
        if api_keys.looks_like_one(parts[1]):
            return None
        session = self._session(parts[1])
        return session.user, session

    def _session(self, raw: bytes) -> Session:
        try:
            token = AccessToken(raw)
            session_id = token.claimed_id(SESSION_CLAIM)
            user_id = token.claimed_id(USER_CLAIM)
        except ExpiredTokenError:
            raise TokenExpired from None
        except TokenError:
            raise TokenRefused from None
        session: Session | None = (
            Session.objects.live(at=clock.now())
            .select_related("user")
            .filter(pk=session_id, user_id=user_id)
            .first()
        )
        if session is None:
            raise SessionOver
        return session


class TokenScheme(SimpleJWTScheme):
    """How the OpenAPI document describes it."""

    target_class = f"{__name__}.TokenAuthentication"
    name = "accessToken"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer kontor_...`: the key's owner, and the key as `request.auth`.

    It stands behind `TokenAuthentication`, which leaves keys to it.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Key and owner in one query.

        :raises ApiKeyRefused: there is no such live key in this organization.
        :raises ApiKeyAddressRefused: it is used from outside of its networks.
        """
        header = get_authorization_header(request).split()
        if len(header) != 2 or header[0].lower() != b"bearer":
            return None
        if not api_keys.looks_like_one(header[1]):
            return None
        key = self._key(header[1])
        require_place(key=key, actor=visitor(request))
        return key.user, key

    def _key(self, text: bytes) -> ApiKey:
        parts = api_keys.parts_of(text)
        if parts is None:
            raise ApiKeyRefused
        prefix, secret_hash = parts
        live = ApiKey.objects.live(at=clock.now()).select_related("user")
        key: ApiKey | None = live.filter(prefix=prefix).first()
        if key is None or not hmac.compare_digest(key.secret_hash, secret_hash):
            raise ApiKeyRefused
        return key


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document describes it."""

    target_class = f"{__name__}.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "kontor_...",
            "description": "An API key: some of its owner's rights, for machines.",
        }
