"""Sessions, their user and messages exist on the platform's host only: organizations use tokens."""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django_otp import middleware as otp


class _PlatformOnly:
    """Steps aside on an organization's host."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if getattr(request, "organization", None) is not None:
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]  # the library's class comes next


class SessionMiddleware(_PlatformOnly, sessions.SessionMiddleware):
    pass


class AuthenticationMiddleware(_PlatformOnly, auth.AuthenticationMiddleware):
    pass


class OTPMiddleware(_PlatformOnly, otp.OTPMiddleware):
    pass


class MessageMiddleware(_PlatformOnly, messages.MessageMiddleware):
    pass
