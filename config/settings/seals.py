"""The key that seals transfers and audit entries, and the public keys of those before it."""

import hashlib
import hmac
import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config.settings.applications import PUBLIC_SCHEME
from config.settings.environment import SECRET_KEY, read, stop

_FORM = re.compile(r"([A-Za-z0-9._-]{1,40}):([0-9a-f]{64})")


def _key(text: str, *, setting: str) -> tuple[str, bytes]:
    found = _FORM.fullmatch(text)
    if found is None:
        stop(f"the setting {setting} is not a name, a colon and 64 hex digits (see .env.example)")
    return found[1], bytes.fromhex(found[2])


def _public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


_given = read("str", "SEAL_KEY", "")
if _given:
    SEAL_KEY_ID, SEAL_PRIVATE_KEY = _key(_given, setting="SEAL_KEY")
elif PUBLIC_SCHEME == "https":
    # Another SECRET_KEY would be another key, and what the former sealed could not be verified.
    stop(
        "the setting SEAL_KEY is missing: where PUBLIC_SCHEME is https, seals need a key of their"
        " own (see .env.example)"
    )
else:
    # Enough to try things out: outside the database as well.
    SEAL_PRIVATE_KEY = hmac.digest(SECRET_KEY.encode(), b"kontor seal key 1", hashlib.sha256)
    SEAL_KEY_ID = f"derived-{_public(SEAL_PRIVATE_KEY).hex()[:8]}"

SEAL_PUBLIC_KEYS = dict(
    _key(each, setting="SEAL_OLD_PUBLIC_KEYS") for each in read("list", "SEAL_OLD_PUBLIC_KEYS", [])
)
if SEAL_KEY_ID in SEAL_PUBLIC_KEYS:
    stop(f"the settings SEAL_KEY and SEAL_OLD_PUBLIC_KEYS both have the id {SEAL_KEY_ID}")
SEAL_PUBLIC_KEYS[SEAL_KEY_ID] = _public(SEAL_PRIVATE_KEY)
