"""The provider that the settings name."""

from __future__ import annotations

from functools import lru_cache
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from tenant_apps.wallets import errors

from .base import ChargeProvider

RETRY_AFTER_SECONDS = 300


def configured() -> ChargeProvider:
    """The provider of CHARGE_PROVIDER_URL.

    :raises NoChargeProvider: none is configured.
    """
    if not settings.CHARGE_PROVIDER_URL:
        raise errors.NoChargeProvider(retry_after=RETRY_AFTER_SECONDS)
    return provider_for(settings.CHARGE_PROVIDER_URL)


@lru_cache(maxsize=8)
def provider_for(url: str) -> ChargeProvider:
    """The provider that a URL stands for; its scheme names the factory in CHARGE_PROVIDERS.

    :raises ImproperlyConfigured: there is no such scheme.
    """
    factory = settings.CHARGE_PROVIDERS.get(urlsplit(url).scheme)
    if factory is None:
        known = ", ".join(settings.CHARGE_PROVIDERS)
        raise ImproperlyConfigured(f"CHARGE_PROVIDER_URL: the schemes are {known}.")
    return cast(ChargeProvider, import_string(factory)(url))
