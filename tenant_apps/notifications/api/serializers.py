"""What the API shows of live connections."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class LiveTicketOut(serializers.Serializer[Any]):
    """Open a socket at `address` with `?ticket=` and the ticket, once, within `expires_in`
    seconds."""

    address = serializers.CharField()
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField()
