"""The keys that seal. They stand in the settings, never in the database.

Ed25519: whoever has the public key can check a seal, and nobody can make one with it. A key is
known by its id, which each segment names; after a rotation the old public key stays in the
settings, and its private half can be destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings

from .errors import UnknownSealKey

# What is signed says what it is, so that no signature can be used for another purpose.
_PREFIX = b"kontor-seal-1:"
_DROP_PREFIX = b"kontor-drop-1:"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """A public key as strangers are told it."""

    id: str
    public_key: str
    signs_now: bool


def present_key_id() -> str:
    """The id of the key that signs now."""
    return str(settings.SEAL_KEY_ID)


def sign(digest: bytes) -> bytes:
    """The present key's signature over a segment's digest."""
    return _signature(_PREFIX + digest)


def sign_drop(digest: bytes) -> bytes:
    """The same for a segment whose rows retention has dropped."""
    return _signature(_DROP_PREFIX + digest)


def _signature(message: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(settings.SEAL_PRIVATE_KEY).sign(message)


def is_signed(digest: bytes, *, key_id: str, signature: bytes) -> bool:
    """Whether the key has signed this segment's digest.

    :raises UnknownSealKey: the settings have no such key.
    """
    return _is_signed(_PREFIX + digest, key_id=key_id, signature=signature)


def is_drop_signed(digest: bytes, *, key_id: str, signature: bytes) -> bool:
    """Whether the key has signed that this segment's rows were dropped.

    :raises UnknownSealKey: the settings have no such key.
    """
    return _is_signed(_DROP_PREFIX + digest, key_id=key_id, signature=signature)


def _is_signed(message: bytes, *, key_id: str, signature: bytes) -> bool:
    known = settings.SEAL_PUBLIC_KEYS.get(key_id)
    if known is None:
        raise UnknownSealKey(f"The settings do not know the seal key {key_id}.")
    try:
        Ed25519PublicKey.from_public_bytes(known).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def published() -> list[PublishedKey]:
    """All public keys that the settings know, by id."""
    return [
        PublishedKey(id=key_id, public_key=key.hex(), signs_now=key_id == settings.SEAL_KEY_ID)
        for key_id, key in sorted(settings.SEAL_PUBLIC_KEYS.items())
    ]
