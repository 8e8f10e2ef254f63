"""The provider that the settings name, for all organizations or for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tenant_apps.wallets import errors
from tenants.context import organization_id

from .base import ChargeProvider

RETRY_AFTER_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeAccount:
    """What the organization has with its provider: where it is, and the secrets of both sides."""

    url: str = ""
    key: str = field(default="", repr=False)
    callback_secrets: tuple[str, ...] = field(default=(), repr=False)


def account() -> ChargeAccount:
    """The current organization's own account, or the one that all share."""
    own = settings.CHARGE_ACCOUNTS.get(str(organization_id()))
    if own is not None:
        return ChargeAccount(**own)
    return ChargeAccount(
        url=settings.CHARGE_PROVIDER_URL,
        key=settings.CHARGE_PROVIDER_KEY,
        callback_secrets=settings.CHARGE_CALLBACK_SECRETS,
    )


def configured() -> ChargeProvider:
    """The current organization's provider.

    :raises NoChargeProvider: none is configured.
    """
    ours = account()
    if not ours.url:
        raise errors.NoChargeProvider(retry_after=RETRY_AFTER_SECONDS)
    return provider_for(ours.url, ours.key)


@lru_cache(maxsize=256)
def provider_for(url: str, key: str = "") -> ChargeProvider:
    """The provider that a URL stands for; its scheme names the factory in CHARGE_PROVIDERS.

    :raises ImproperlyConfigured: there is no such scheme, or its factory refuses the URL.
    """
    factory = settings.CHARGE_PROVIDERS.get(urlsplit(url).scheme)
    if factory is None:
        known = ", ".join(settings.CHARGE_PROVIDERS)
        raise ImproperlyConfigured(f"CHARGE_PROVIDER_URL: the schemes are {known}.")
    return cast(ChargeProvider, import_string(factory)(url, key))
