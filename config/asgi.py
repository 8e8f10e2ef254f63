"""Sockets only: `uvicorn config.asgi:application`. HTTP is served by WSGI."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402  (after setup)

from config.health import socket_health  # noqa: E402
from tenant_apps.notifications.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {"http": socket_health, "websocket": URLRouter(websocket_urlpatterns)}
)
