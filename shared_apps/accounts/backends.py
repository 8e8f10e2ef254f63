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
    """The same counted, equally slow check of address and password as the API's."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> User | None:
        email = username or credentials.get("email")
        if request is None or not email or password is None:
            return None
        try:
            return services.require_credentials(
                email=str(email), password=password, actor=visitor(request)
            )
        except TooManyAttempts:
            raise PermissionDenied from None
        except CredentialsRefused:
            return None

    def get_user(self, user_id: Any) -> User | None:
        user: User | None = User.objects.active().filter(pk=user_id).first()
        return user
