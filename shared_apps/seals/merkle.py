"""The hash tree over the rows of one segment, as RFC 9162 (2.1) defines it, over SHA-256.

Leaves and inner nodes are hashed with a different first byte, so that none can stand for the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

_LEAF, _NODE, _SEGMENT = b"\x00", b"\x01", b"\x02"


def leaf(text: str) -> bytes:
    """The digest of a row's canonical text."""
    return sha256(_LEAF + text.encode()).digest()


def segment_digest(text: str) -> bytes:
    """The digest of a segment's canonical text."""
    return sha256(_SEGMENT + text.encode()).digest()


def _parent(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The digest of them all, in this order.

    :raises ValueError: there are none.
    """
    if not leaves:
        raise ValueError("a tree has leaves")
    level = list(leaves)
    while len(level) > 1:
        level = _next_level(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The digests with which a leaf's leads to the root, from the leaf upwards.

    :raises IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    level, found = list(leaves), []
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            found.append(level[beside])
        level, index = _next_level(level), index // 2
    return found


def _next_level(level: list[bytes]) -> list[bytes]:
    # A last one without a neighbour goes up as it is: the same tree as by halving at powers of 2.
    pairs = [_parent(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
    return pairs + level[len(level) - len(level) % 2 :]


def root_of_path(digest: bytes, *, index: int, size: int, digests: Sequence[bytes]) -> bytes | None:
    """Where a leaf's digest leads along the path; None where such a leaf has another path."""
    if not 0 <= index < size:
        return None
    waiting = list(digests)
    while size > 1:
        beside = index ^ 1
        if beside < size:
            if not waiting:
                return None
            other = waiting.pop(0)
            digest = _parent(other, digest) if index % 2 else _parent(digest, other)
        index, size = index // 2, (size + 1) // 2
    return None if waiting else digest
