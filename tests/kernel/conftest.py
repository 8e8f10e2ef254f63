"""A client of the exhibits: the API's own middleware around them, no routing, no sign-in."""

import json
from typing import Any

import pytest
from django.test import Client

from tenants.context import platform_context, tenant_context

MIDDLEWARE = [
    "shared_apps.kernel.api.middleware.RequestIdMiddleware",
    "shared_apps.kernel.api.middleware.ProblemMiddleware",
    "tests.kernel.conftest.InPlace",
    "shared_apps.kernel.api.middleware.RateLimitMiddleware",
    "django.middleware.common.CommonMiddleware",
]


class Api:
    """Sends JSON, or whatever else it is told to, and never raises for an answer."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)

    def get(self, path: str, **headers: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", **headers)

    def send(self, method: str, path: str, body: Any = None, **headers: Any) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is None:
            raw = b""
        kind = headers.pop("content_type", "application/json")
        return self.client.generic(method, f"/api/v1/{path}", raw, content_type=kind, **headers)

    def post(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: Any) -> Any:
        return self.send("PATCH", path, body, **headers)


class InPlace:
    """Stands for the routing: the test's own tenant, else the platform."""

    tenant: Any = None

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        place = platform_context(reason="test")
        with tenant_context(self.tenant) if self.tenant else place:
            return self.get_response(request)


@pytest.fixture
def api(settings: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Api:
    settings.ROOT_URLCONF = "tests.kernel.exhibits"
    settings.MIDDLEWARE = MIDDLEWARE
    if "tenant" in request.fixturenames:
        monkeypatch.setattr(InPlace, "tenant", request.getfixturevalue("tenant"))
    return Api()
