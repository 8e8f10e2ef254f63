"""Where the live socket of an organization is."""

from __future__ import annotations

from django.conf import settings

from tenant_apps.notifications.routing import SOCKET_PATH

_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}


def socket_address(*, host: str) -> str:
    """The socket's address at a host: the same host, by the socket server's port if it has one
    of its own."""
    scheme = _SOCKET_SCHEMES[settings.PUBLIC_SCHEME]
    port = settings.SOCKET_PORT or settings.PUBLIC_PORT
    return f"{scheme}://{host}{f':{port}' if port else ''}{SOCKET_PATH}"
