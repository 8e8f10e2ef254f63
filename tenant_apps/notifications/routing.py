"""Where sockets are opened."""

from __future__ import annotations

from django.urls import path

from tenant_apps.notifications.sockets import LiveConsumer

SOCKET_PATH = "/live/"

websocket_urlpatterns = [path("live/", LiveConsumer.as_asgi())]
