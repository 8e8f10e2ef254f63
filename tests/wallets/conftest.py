from typing import Any

import pytest

from tests.wallets.stories import Market, open_market


@pytest.fixture
def market(tenant: Any) -> Market:
    """Two sellers with wallets and who keeps them, in Acme, rolled back after the test."""
    return open_market()
