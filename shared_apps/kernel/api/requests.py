"""Facts about an HTTP request."""

from ipaddress import ip_address
from typing import Any

from django.conf import settings

from shared_apps.kernel import request_ids

_MAX_USER_AGENT = 300


def client_address(request: Any) -> str:
    """The caller's IP address.

    Of `X-Forwarded-For` only the hops count that the `TRUSTED_PROXIES` before us wrote;
    where there are none, the header is the caller's own invention.
    """
    remote = str(request.META.get("REMOTE_ADDR", ""))
    proxies: int = getattr(settings, "TRUSTED_PROXIES", 0)
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    if not proxies or not forwarded:
        return remote
    hops = [hop.strip() for hop in forwarded.split(",")]
    hop = hops[-min(proxies, len(hops))]
    try:
        return str(ip_address(hop))
    except ValueError:
        return remote


def user_agent(request: Any) -> str:
    """What the client calls itself, cut to a bearable length, without control characters."""
    text = str(request.META.get("HTTP_USER_AGENT", ""))[:_MAX_USER_AGENT]
    return "".join(character for character in text if character.isprintable())


def request_id_of(request: Any) -> str:
    """The request's id; a new one where the middleware has not seen the request."""
    return getattr(request, "request_id", "") or request_ids.current() or _made()


def _made() -> str:
    return request_ids.accepted_or_made(None)
