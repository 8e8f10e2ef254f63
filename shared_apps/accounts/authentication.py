"""Who calls: the session behind an access token, alive at this moment."""

from __future__ import annotations

from drf_spectacular.contrib.rest_framework_simplejwt import SimpleJWTScheme
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from shared_apps.accounts.errors import SessionOver, TokenExpired, TokenRefused
from shared_apps.accounts.models import Session, User
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
