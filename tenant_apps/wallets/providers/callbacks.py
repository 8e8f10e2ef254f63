"""Late answers of a provider: where it sends them, and how we know that it was the provider."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

from standardwebhooks import Webhook

from tenants.context import current_organization
from tenants.links import base_address
from tenants.models import Organization
from tenants.selectors import primary_host

from .registry import account

CALLBACK_PATH = "/api/v1/charge-callbacks/"
ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"
HEADERS = (ID_HEADER, TIME_HEADER, SIGNATURE_HEADER)
ID_LENGTH = 128
_HOST_KNOWN_FOR_SECONDS = 300


def callback_address() -> str:
    """Where the current organization hears of late answers."""
    host = _host_of(current_organization(), int(time.monotonic() // _HOST_KNOWN_FOR_SECONDS))
    return base_address(host) + CALLBACK_PATH


def is_signed(*, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the current organization's provider signed it within the last five minutes.

    As Standard Webhooks has it: an HMAC over id, time and body, by any of the secrets that hold.
    """
    name = headers.get(ID_HEADER, "")
    if not 0 < len(name) <= ID_LENGTH or not name.isascii() or not name.isprintable():
        return False
    return any(_is_signed_by(secret, body, headers) for secret in account().callback_secrets)


def _is_signed_by(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except Exception:
        # Its own error for a wrong signature, and others for headers that are none at all.
        return False
    return True


@lru_cache(maxsize=4096)
def _host_of(organization: Organization, period: int) -> str:
    """The host as of some minutes ago: a sale is not to ask for it each time."""
    return primary_host(organization)
