"""Sign-in for Django's own login forms: the platform's console. The API does not come by here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from shared_apps.accounts import services
from shared_apps.accounts.actors import visitor
from shared_apps.accounts.errors import CredentialsRefused, TooManyAttempts
from shared_apps.accounts.models import User


class EmailBackend(BaseBackend):
    """Address, password and one-time code, counted and equally slow whatever of them is wrong.

    Without a code nobody comes in: a form that forgets to ask for it lets nobody pass.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        # Named so that Django masks it where it reports failures.
        otp_token: str | None = None,
        **credentials: Any,
    ) -> User | None:
        email = username or credentials.get("email")
        if request is None or not email or password is None or not otp_token:
            return None
        try:
            return services.require_both_factors(
                email=str(email), password=password, code=otp_token, actor=visitor(request)
            )
        except TooManyAttempts:
            raise PermissionDenied from None
        except CredentialsRefused:
            return None

    def get_user(self, user_id: Any) -> User | None:
        user: User | None = User.objects.active().filter(pk=user_id).first()
        return user
