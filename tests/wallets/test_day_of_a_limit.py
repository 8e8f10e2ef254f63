"""A wallet's daily limit where days come out of order: around midnight, or with a clock behind.

Whoever asked before midnight may get the wallet after somebody who asked on the next day.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared_apps.kernel import clock
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import SaleState
from tests.wallets.stories import Market, a_sale, credit, deliver, kes, sell

TODAY = datetime(2026, 3, 10, 9, tzinfo=UTC)
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture
def limited(market: Market, simulated: Any) -> Market:
    simulated()
    credit(market, "1000.00")
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"daily_limit": kes("50.00")},
    )
    return market


def test_a_sale_of_the_day_before_leaves_the_next_days_share_used(limited: Market) -> None:
    with clock.frozen(TOMORROW):
        sell(limited, "40.00")
    with clock.frozen(TODAY):
        sell(limited, "30.00")
    with clock.frozen(TOMORROW), pytest.raises(errors.DailyLimitExceeded) as refused:
        a_sale(limited, "10.01")
    assert refused.value.extra["left_today"]["amount"] == "10.00"
    with clock.frozen(TOMORROW):
        sell(limited, "10.00")


def test_the_day_before_keeps_its_own_limit(limited: Market) -> None:
    with clock.frozen(TODAY):
        sell(limited, "20.00")
    with clock.frozen(TOMORROW):
        sell(limited, "50.00")
    with clock.frozen(TODAY):
        sell(limited, "25.00")
        with pytest.raises(errors.DailyLimitExceeded) as refused:
            a_sale(limited, "5.01")
        assert refused.value.extra["left_today"]["amount"] == "5.00"
        sell(limited, "5.00")


def test_a_sale_that_fails_is_settled_whatever_came_between(
    limited: Market, simulated: Any
) -> None:
    simulated(refused=100)
    with clock.frozen(TOMORROW):
        of_tomorrow = a_sale(limited, "40.00")
    with clock.frozen(TODAY):
        of_today = a_sale(limited, "30.00")
    with clock.frozen(TOMORROW):
        another = a_sale(limited, "5.00")
        for sale in (of_tomorrow, of_today):
            assert deliver(limited, sale).state == SaleState.FAILED
    assert limited.wallet("sita").available == kes("995.00")
    # Only the last one uses the limit of its day.
    assert limited.wallet("sita").sold_minor == another.amount_minor
    with clock.frozen(TODAY):
        # What failed gave its share back to the day before as well.
        assert a_sale(limited, "50.00").sold_on == TODAY.date()
