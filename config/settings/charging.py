"""Who charges phones when charge is sold.

Addresses, keys and secrets come from the environment alone: no organization sets any of them, so
an address may well lie in a private network of the platform's own.
"""

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from config.settings.environment import read, stop

# The factory of each provider by the scheme of its URL; it takes the URL and the key.
CHARGE_PROVIDERS = {
    "simulator": "tenant_apps.wallets.providers.simulator.Simulator",
    "https": "tenant_apps.wallets.providers.over_http.HttpProvider",
    "http": "tenant_apps.wallets.providers.over_http.HttpProvider",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OVER_HTTP = ("https", "http")
# Standard Webhooks asks for 24 to 64 random bytes.
_SECRET_BYTES = range(24, 65)


def _check_url(url: str, *, setting: str) -> None:
    """End the start where no provider can be meant by it."""
    scheme = url.partition("://")[0]
    if scheme not in CHARGE_PROVIDERS:
        stop(f"the setting {setting} names no provider that is known (see .env.example)")
    if scheme not in _OVER_HTTP:
        return
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        stop(f"the setting {setting} is no plain address of a provider (see .env.example)")
    if scheme == "http" and parts.hostname not in _LOOPBACK:
        stop(f"the setting {setting} must begin with https:// (see .env.example)")


def _check_key(url: str, key: str, *, setting: str) -> None:
    name, _, secret = key.partition(":")
    if url.partition("://")[0] in _OVER_HTTP and not (name and secret):
        stop(f"the setting {setting} is missing or not of the form id:secret (see .env.example)")


def _check_secrets(secrets: list[str], *, setting: str) -> None:
    for secret in secrets:
        try:
            value = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            value = b""
        if not secret.startswith("whsec_") or len(value) not in _SECRET_BYTES:
            stop(f"the setting {setting} has a secret not of the form whsec_... (see .env.example)")


def _account(given: Any, *, setting: str) -> dict[str, Any]:
    """What one organization has with a provider of its own."""
    if not isinstance(given, dict) or set(given) - {"url", "key", "callback_secrets"}:
        stop(f"the setting {setting} takes url, key and callback_secrets (see .env.example)")
    url, key = given.get("url", ""), given.get("key", "")
    secrets = given.get("callback_secrets", [])
    texts = [url, key, *secrets] if isinstance(secrets, list) else [None]
    if not all(isinstance(text, str) for text in texts):
        stop(f"the setting {setting} takes texts, and a list of them (see .env.example)")
    if url:
        _check_url(url, setting=setting)
        _check_key(url, key, setting=setting)
    _check_secrets(secrets, setting=setting)
    return {"url": url, "key": key, "callback_secrets": tuple(secrets)}


CHARGE_PROVIDER_URL = read("str", "CHARGE_PROVIDER_URL", "")
CHARGE_PROVIDER_KEY = read("str", "CHARGE_PROVIDER_KEY", "")
if CHARGE_PROVIDER_URL:
    _check_url(CHARGE_PROVIDER_URL, setting="CHARGE_PROVIDER_URL")
    _check_key(CHARGE_PROVIDER_URL, CHARGE_PROVIDER_KEY, setting="CHARGE_PROVIDER_KEY")
CHARGE_CALLBACK_SECRETS = tuple(read("list", "CHARGE_CALLBACK_SECRETS", []))
_check_secrets(list(CHARGE_CALLBACK_SECRETS), setting="CHARGE_CALLBACK_SECRETS")

_given = read("json", "CHARGE_ACCOUNTS", {})
if not isinstance(_given, dict):
    stop("the setting CHARGE_ACCOUNTS is no JSON object (see .env.example)")
CHARGE_ACCOUNTS: dict[str, dict[str, Any]] = {}
for _name, _values in _given.items():
    try:
        _id = str(UUID(_name))
    except ValueError:
        stop("the setting CHARGE_ACCOUNTS has a name that is no organization's id")
    CHARGE_ACCOUNTS[_id] = _account(_values, setting="CHARGE_ACCOUNTS")
