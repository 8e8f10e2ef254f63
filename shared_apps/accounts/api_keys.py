"""What an API key is made of, and what no key may ever carry.

A key reads `kontor_<prefix>_<secret>`. The prefix is shown in lists and finds the row; the secret
is 256 random bits, of which only a hash is kept. The hash is bound to the organization and to the
prefix, so that a row that is copied elsewhere opens nothing there.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from shared_apps.kernel import ids
from tenants.context import tenant_marker

BEGINNING = "kontor_"
_FORM = re.compile(r"kontor_([a-z0-9]{12})_([A-Za-z0-9_-]{43})", re.ASCII)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_PREFIX_LENGTH = 12

# People, roles and keys are administered by persons: there, seeing is all that a key may do.
_APPS_FOR_PEOPLE = frozenset({"accounts", "access"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """A key's text, which exists nowhere else, and what is kept of it."""

    text: str
    prefix: str
    secret_hash: str


def drawn() -> NewKey:
    """A new key of the present organization."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(_PREFIX_LENGTH))
    secret = ids.random_token()
    return NewKey(
        text=f"{BEGINNING}{prefix}_{secret}", prefix=prefix, secret_hash=_hash(prefix, secret)
    )


def looks_like_one(text: bytes) -> bool:
    """Whether a bearer's text means to be an API key."""
    return text.startswith(BEGINNING.encode())


def parts_of(text: bytes) -> tuple[str, str] | None:
    """The prefix and the hash of a key's text; None for what is no key."""
    found = _FORM.fullmatch(text.decode("ascii", "replace"))
    return None if found is None else (found[1], _hash(found[1], found[2]))


def is_for_people(permission: str) -> bool:
    """Whether no key can carry the permission, whatever its owner holds."""
    app_label, _, codename = permission.partition(".")
    return app_label in _APPS_FOR_PEOPLE and not codename.startswith("view_")


def includes(networks: Iterable[str], address: str) -> bool:
    """Whether the address lies in one of the networks; no networks are no bounds."""
    allowed = list(networks)
    if not allowed:
        return True
    try:
        caller = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in ipaddress.ip_network(network) for network in allowed)


def _hash(prefix: str, secret: str) -> str:
    # 256 random bits: a slow hash would protect nothing more, and each request pays for it.
    text = f"api_key|{tenant_marker()}|{prefix}|{secret}"
    return hashlib.sha256(text.encode()).hexdigest()
