"""ETag and If-Match, over the version that a row carries."""

import re
from typing import Any

from shared_apps.kernel.errors import PreconditionFailed

_ETAG = re.compile(r'"(\d{1,10})"')


def etag_for(obj: Any) -> str | None:
    """The strong ETag of a versioned thing; None for others."""
    version = getattr(obj, "version", None)
    return f'"{version}"' if isinstance(version, int) else None


def expected_version(request: Any) -> int | None:
    """The version that the caller's `If-Match` demands; None when it demands none.

    :raises PreconditionFailed: the header names something that never was an ETag of ours.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None or header.strip() == "*":
        return None
    match = _ETAG.fullmatch(header.strip())
    if match is None:
        raise PreconditionFailed("If-Match takes one ETag as this address gave it.")
    return int(match[1])
