"""Whatever an organization's host serves either asks who calls, or says here why it does not."""

from __future__ import annotations

from typing import Any

from django.urls import URLResolver, get_resolver
from rest_framework.permissions import AllowAny

from shared_apps.access.api.views import OrganizationViewMixin
from shared_apps.idempotency.api import IdempotentMixin

# Proof stands in the place of a role, or the person acts on the own account.
OWN_ACCOUNT = {
    "auth-logout",
    "auth-password-change",
    "auth-user",
    "profile",
    "recovery-codes",
    "second-factor",
    "second-factor-confirmation",
    "second-factor-enrolment",
    "second-factor-removal",
    "second-factor-verification",
    "session",
    "sessions",
    "sign-in-codes",
    "step-up",
}
STRANGERS = {
    "auth-login",
    "auth-password-reset",
    "auth-password-reset-confirm",
    "charge-callbacks",
    "document-content",
    "invitation-acceptance",
    "login-code-redemption",
    "redoc",
    "root",
    "schema",
    "seal-keys",
    "swagger",
    "token",
    "token-blacklist",
    "token-refresh",
}


def views(patterns: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= views(pattern.url_patterns)
        else:
            callback = pattern.callback
            found[pattern.name] = getattr(callback, "cls", None) or callback.view_class
    return found


def served() -> dict[str, Any]:
    return views(get_resolver("config.urls_tenant").url_patterns)


def test_every_other_view_stands_on_the_base() -> None:
    elsewhere = {
        name
        for name, view in served().items()
        if not (issubclass(view, OrganizationViewMixin) and issubclass(view, IdempotentMixin))
    }
    assert elsewhere - OWN_ACCOUNT - STRANGERS == set()


def test_only_strangers_views_are_open() -> None:
    open_to_all = {
        name
        for name, view in served().items()
        if AllowAny in getattr(view, "permission_classes", ())
    }
    assert open_to_all <= STRANGERS


def test_no_view_of_the_base_weakens_it() -> None:
    weaker = {
        name
        for name, view in served().items()
        if issubclass(view, OrganizationViewMixin)
        and (
            "check_permissions" in vars(view)
            or "permission_classes" in vars(view)
            or "authentication_classes" in vars(view)
        )
    }
    assert weaker == set()
