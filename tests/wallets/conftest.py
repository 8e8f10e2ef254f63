from pathlib import Path
from typing import Any

import pytest

from tenant_apps.wallets.providers.registry import provider_for
from tenant_apps.wallets.providers.simulator import Simulator
from tests.wallets.stories import Market, open_market


@pytest.fixture
def market(tenant: Any) -> Market:
    """Two sellers with wallets and who keeps them, in Acme, rolled back after the test."""
    return open_market()


@pytest.fixture
def simulated(settings: Any, tmp_path: Path) -> Any:
    """Choose a simulated provider with these faults, whose books begin empty."""

    def choose(**faults: int) -> Simulator:
        query = "&".join(f"{name}={value}" for name, value in {"seed": 7, **faults}.items())
        settings.CHARGE_PROVIDER_URL = f"simulator://{tmp_path}?{query}"
        provider = provider_for(settings.CHARGE_PROVIDER_URL)
        assert isinstance(provider, Simulator)
        return provider

    return choose
