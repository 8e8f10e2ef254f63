"""Callers of an organization's host."""

from typing import Any

from django.db import connection
from rest_framework.test import APIClient


class HostClient(APIClient):
    """Calls one host. Each request ends in no tenant; the test goes on where it was."""

    def __init__(self, host: str = "acme.kontor.test", **defaults: Any) -> None:
        super().__init__(HTTP_HOST=host, **defaults)
        self.raise_request_exception = False

    def request(self, **kwargs: Any) -> Any:
        database: Any = connection
        former = database.tenant
        try:
            return super().request(**kwargs)
        finally:
            database.set_tenant(former)

    def carrying(self, access: str) -> "HostClient":
        """The same caller with an access token."""
        self.credentials(HTTP_AUTHORIZATION=f"Bearer {access}")
        return self
