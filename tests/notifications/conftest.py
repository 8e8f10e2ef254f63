from typing import Any

import pytest
from django.db import connection

from tenant_apps.notifications import sockets
from tests.cast import Cast, assemble, cast

__all__ = ["cast"]


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "HEARTBEAT_SECONDS", 0.3)
    monkeypatch.setattr(sockets, "GATHERING_SECONDS", 0.05)
    # The threads of the pool outlive the test; their connections must not.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


@pytest.fixture
def live_cast(real_commits: Any) -> Cast:
    return assemble()
