"""Identifiers: time-ordered, derived, and secret ones."""

import hashlib
import json
import os
import secrets
import threading
import time
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

_VERSION_SHIFT = 76
_VARIANT_BITS = 0b10 << 62
_RANDOM_BITS = 62
_SUBMILLISECOND_BITS = 12
_AFTER_TIME_BITS = 80
_NANOSECONDS_IN_MILLISECOND = 1_000_000

_last_tick = 0
_tick_lock = threading.Lock()


def _renew_lock_after_fork() -> None:
    # A fork in the middle of uuid7() would leave the child with a lock nobody opens.
    global _tick_lock
    _tick_lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock_after_fork)


def uuid7() -> UUID:
    """A UUIDv7 (RFC 9562): ordered by creation within a process, unguessable in its last 62 bits.

    It reads the machine's time and not `kernel.clock`: a frozen or shifted clock
    must not make index locality worse or order ambiguous.
    """
    global _last_tick
    milliseconds, rest = divmod(time.time_ns(), _NANOSECONDS_IN_MILLISECOND)
    fraction = (rest << _SUBMILLISECOND_BITS) // _NANOSECONDS_IN_MILLISECOND
    tick = (milliseconds << _SUBMILLISECOND_BITS) | fraction
    with _tick_lock:
        tick = max(tick, _last_tick + 1)
        _last_tick = tick
    high = tick >> _SUBMILLISECOND_BITS
    low = tick & ((1 << _SUBMILLISECOND_BITS) - 1)
    return UUID(
        int=(high << 80)
        | (7 << _VERSION_SHIFT)
        | (low << 64)
        | _VARIANT_BITS
        | secrets.randbits(_RANDOM_BITS)
    )


def uuid8_from(*parts: str | UUID | int) -> UUID:
    """The UUIDv8 that always belongs to these parts, in this order (sha256).

    Each part carries its type and length, so ("ab", "c") and ("a", "bc") differ,
    and so do 1 and "1".

    :raises ValueError: no parts were given.
    :raises TypeError: a part is neither str, UUID nor int.
    """
    if not parts:
        raise ValueError("An id is derived from something.")
    digest = hashlib.sha256()
    for part in parts:
        kind, text = _tagged(part)
        digest.update(b"%c%d:" % (kind, len(text)))
        digest.update(text)
    value = int.from_bytes(digest.digest()[:16])
    value &= ~((0xF << _VERSION_SHIFT) | (0b11 << 62))
    return UUID(int=value | (8 << _VERSION_SHIFT) | _VARIANT_BITS)


def uuid8_near(origin: UUID, *parts: str | UUID | int) -> UUID:
    """The UUIDv8 that always belongs to the origin and these parts, and sorts beside the origin.

    It begins with the 48 bits of a UUIDv7 that say when the origin was made. What belongs to a
    document then lands beside what was written a moment ago in every index, not on a page of its
    own, and is found by `ids_near` of the document.
    """
    derived = uuid8_from(origin, *parts).int & ((1 << _AFTER_TIME_BITS) - 1)
    return UUID(int=origin.int >> _AFTER_TIME_BITS << _AFTER_TIME_BITS | derived)


def ids_near(origin: UUID) -> tuple[UUID, UUID]:
    """The lowest and the highest id that begin with the origin's first 48 bits."""
    low = origin.int >> _AFTER_TIME_BITS << _AFTER_TIME_BITS
    return UUID(int=low), UUID(int=low | ((1 << _AFTER_TIME_BITS) - 1))


def earlier(moment_of: UUID, by: timedelta) -> UUID:
    """The lowest id of a time that much before the one in a UUIDv7 (or one near it)."""
    milliseconds = (moment_of.int >> _AFTER_TIME_BITS) - by // timedelta(milliseconds=1)
    return UUID(int=max(milliseconds, 0) << _AFTER_TIME_BITS)


def _tagged(part: str | UUID | int) -> tuple[bytes, bytes]:
    if isinstance(part, UUID):
        return b"u", part.bytes
    if isinstance(part, bool):
        raise TypeError("A truth value does not identify anything.")
    if isinstance(part, int):
        return b"i", str(part).encode()
    if isinstance(part, str):
        return b"s", part.encode()
    raise TypeError(f"An id cannot be derived from {type(part).__name__}.")


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values: sorted keys, no spaces, ASCII only.

    :raises TypeError: the value holds something JSON and this house have no text for.
    :raises ValueError: the value holds NaN or an infinity.
    """
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
        default=_plain,
    )


def _plain(value: Any) -> str:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical JSON.")


def request_hash(mapping: Mapping[str, Any]) -> str:
    """The sha256 (hex) of the mapping's canonical JSON: equal content, equal hash."""
    return hashlib.sha256(canonical_json(dict(mapping)).encode("ascii")).hexdigest()


def random_token(bits: int = 256) -> str:
    """An unguessable URL-safe text of at least `bits` bits.

    :raises ValueError: fewer than 128 bits were asked for.
    """
    if bits < 128:
        raise ValueError("A token below 128 bits can be guessed.")
    return secrets.token_urlsafe((bits + 7) // 8)
