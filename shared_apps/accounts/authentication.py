"""Who calls: the session behind an access token, alive at this moment."""

from __future__ import annotations

from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError

from shared_apps.accounts.models import Session, User
from shared_apps.accounts.tokens import SESSION_CLAIM, USER_CLAIM, AccessToken
from shared_apps.kernel import clock


class TokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <access token>`. Sets `request.user` and, as `request.auth`, the session.

    Its failures are REST framework's own exception, because only for that one the framework
    answers with WWW-Authenticate and does not ask again.
    """

    def authenticate(self, request: Request) -> tuple[User, Session] | None:  # type: ignore[override]
        """Session and user in one query; see the base class.

        :raises AuthenticationFailed: the token is not good, or its session has ended.
        """
        header = self.get_header(request)
        if not header:
            return None
        parts = header.split()
        if parts[:1] != [b"Bearer"]:
            return None
        if len(parts) != 2:
            raise AuthenticationFailed("The Authorization header is malformed.", "token_invalid")
        session = self._session(parts[1])
        return session.user, session

    def _session(self, raw: bytes) -> Session:
        try:
            token = AccessToken(raw)
            session_id = token.claimed_id(SESSION_CLAIM)
            user_id = token.claimed_id(USER_CLAIM)
        except ExpiredTokenError:
            raise AuthenticationFailed("The access token has expired.", "token_expired") from None
        except TokenError:
            raise AuthenticationFailed("The access token is not valid.", "token_invalid") from None
        session: Session | None = (
            Session.objects.live(at=clock.now())
            .select_related("user")
            .filter(pk=session_id, user_id=user_id)
            .first()
        )
        if session is None:
            raise AuthenticationFailed("The session has ended. Sign in again.", "session_ended")
        return session
