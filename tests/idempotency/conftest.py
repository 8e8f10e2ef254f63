"""A small view that moves money, and somebody who calls it."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate

from shared_apps.accounts.models import User
from tests.accounts.people import make_user
from tests.idempotency.till import Till

Call = Callable[..., Response]


@pytest.fixture
def alice(tenant: Any) -> User:
    return make_user("alice@acme.example", "Alice Owner")


@pytest.fixture
def call() -> Call:
    """Send a request to the till on this thread; answers the rendered response."""

    def send(
        user: User | None,
        body: Any = None,
        *,
        key: str | None = None,
        method: str = "post",
        query: str = "",
        **attributes: Any,
    ) -> Response:
        headers = {} if key is None else {"HTTP_IDEMPOTENCY_KEY": key}
        factory = APIRequestFactory()
        request = getattr(factory, method)(f"/till/{query}", body, format="json", **headers)
        force_authenticate(request, user=user)
        response: Response = Till.as_view(**attributes)(request)
        return response.render()

    return send
