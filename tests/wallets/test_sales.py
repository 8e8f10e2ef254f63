"""Charge sold to a phone: hold, call, capture or release; limits; what is answered over HTTP."""

from typing import Any

import pytest
from django.db import transaction

from shared_apps.kernel.errors import BadInput, Forbidden
from tenant_apps.ledger.models import Hold
from tenant_apps.ledger.selectors import balance_of, funds_of
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import ChargeSale
from tests.snapshots import changed, snapshot
from tests.wallets.stories import PHONE, Market, a_sale, credit, deliver, kes, sell


def available(market: Market, name: str = "sita") -> str:
    funds = funds_of(account_code="2400", currency="KES", subledger_id=market.sellers[name].pk)
    assert funds.available is not None
    return funds.available.to_string()


def test_credit_is_held_before_the_provider_is_called(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    sale = a_sale(market, "30.00")
    assert (sale.state, sale.phone) == ("held", PHONE)
    assert (market.balance("sita"), available(market)) == ("100.00", "70.00")
    assert provider.charges() == []


def test_a_delivered_sale_takes_the_credit(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert (sale.state, sale.provider_reference) == ("sold", "SIM-00000001")
    assert (market.balance("sita"), available(market)) == ("70.00", "70.00")
    assert balance_of(account_code="2410", currency="KES").to_string() == "30.00"
    (charge,) = provider.charges()
    assert (charge["reference"], charge["amount"]) == (str(sale.charge_reference), "30.00")
    assert verify().books_hold


def test_a_refused_sale_gives_the_credit_back(market: Market, simulated: Any) -> None:
    simulated(refused=100)
    credit(market, "100.00")
    sale = sell(market, "30.00")
    assert (sale.state, sale.reason) == ("failed", "the operator refused the number")
    assert (market.balance("sita"), available(market)) == ("100.00", "100.00")
    assert Hold.objects.of_source(sale.pk).get().state == "released"
    assert market.wallet("sita").sold_minor == 0


def test_never_more_than_is_available(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    a_sale(market, "60.00")
    body = {
        "wallet": str(market.wallets["sita"].pk),
        "phone": "0712345678",
        "amount": {"amount": "40.01", "currency": "KES"},
    }
    refused = market.api("sita").post("charge-sales/", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_enough_credit")
    assert ChargeSale.objects.count() == 1
    assert available(market) == "40.00"


def test_delivering_again_changes_nothing(market: Market, simulated: Any) -> None:
    provider = simulated()
    credit(market, "100.00")
    sale = sell(market, "30.00")
    before = snapshot()
    deliver(market, sale)
    assert changed(before) == []
    assert [charge["arrivals"] for charge in provider.charges()] == [1]


@pytest.mark.parametrize(
    ("limits", "first", "second", "error"),
    [
        ({"sale_limit": "20.00"}, "20.00", "20.01", errors.SaleLimitExceeded),
        ({"daily_limit": "50.00"}, "30.00", "20.01", errors.DailyLimitExceeded),
        ({"daily_limit": "0.00"}, None, "0.01", errors.DailyLimitExceeded),
        ({"sale_limit": "0.00"}, None, "0.01", errors.SaleLimitExceeded),
    ],
)
def test_limits_hold(
    market: Market, simulated: Any, limits: Any, first: str, second: str, error: Any
) -> None:
    simulated()
    credit(market, "100.00")
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={name: kes(amount) for name, amount in limits.items()},
    )
    if first:
        sell(market, first)
    before = snapshot()
    with pytest.raises(error):
        a_sale(market, second)
    assert changed(before) == []


def test_a_failed_sale_uses_no_limit(market: Market, simulated: Any) -> None:
    credit(market, "100.00")
    services.change_wallet(
        actor=market.actor("wanda"),
        wallet_id=market.wallets["sita"].pk,
        changes={"daily_limit": kes("50.00")},
    )
    simulated(refused=100)
    sell(market, "50.00")
    simulated()
    assert sell(market, "50.00").state == "sold"


def test_who_sells(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    before = snapshot()
    sale = services.NewSale(wallet_id=market.wallets["sita"].pk, phone=PHONE, amount=kes("1.00"))
    for name, error in (("seth", BadInput), ("olga", BadInput), ("wanda", Forbidden)):
        with pytest.raises(error), transaction.atomic():
            services.place_charge_sale(actor=market.actor(name), sale=sale)
    assert changed(before) == []
    services.suspend_seller(actor=market.actor("wanda"), seller_id=market.sellers["sita"].pk)
    with pytest.raises(errors.SellerSuspended), transaction.atomic():
        services.place_charge_sale(actor=market.actor("sita"), sale=sale)


def test_history_shows_the_number(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    sell(market, "30.00")
    sell(market, "5.00", phone="0733123456")
    path = f"wallets/{market.wallets['sita'].pk}/history/"
    found = market.api("sita").get(f"{path}?number=0712345678").json()["results"]
    assert [(row["type"], row["number"], row["balance"]["amount"]) for row in found] == [
        ("charge_sale", PHONE, "70.00")
    ]
    assert market.api("sita").get(f"{path}?number=x").status_code == 400


class TestOverHttp:
    def body(self, market: Market, amount: str = "30.00") -> dict[str, Any]:
        return {
            "wallet": str(market.wallets["sita"].pk),
            "phone": "0712 345 678",
            "amount": {"amount": amount, "currency": "KES"},
        }

    def test_sells_and_says_so(self, market: Market, simulated: Any) -> None:
        provider = simulated()
        credit(market, "100.00")
        sita = market.api("sita")
        sold = sita.post("charge-sales/", self.body(market), key="one")
        assert (sold.status_code, sold.json()["state"]) == (201, "sold")
        assert (sold.json()["phone"], sold.json()["operator"]) == (PHONE, "savanna")
        again = sita.post("charge-sales/", self.body(market), key="one")
        assert again.json() == sold.json()
        assert again["Idempotency-Replayed"] == "true"
        assert len(provider.charges()) == 1
        assert market.balance("sita") == "70.00"

    def test_a_dry_run_calls_nobody(self, market: Market, simulated: Any) -> None:
        provider = simulated()
        credit(market, "100.00")
        sita = market.api("sita")
        before = snapshot()
        shown = sita.post("charge-sales/?dry_run=true", self.body(market))
        assert (shown.status_code, shown.json()["state"]) == (201, "held")
        assert changed(before) == []
        assert provider.charges() == []

    def test_without_a_provider_nothing_is_sold(self, market: Market, settings: Any) -> None:
        settings.CHARGE_PROVIDER_URL = ""
        credit(market, "100.00")
        sita = market.api("sita")
        before = snapshot()
        refused = sita.post("charge-sales/", self.body(market))
        assert (refused.status_code, refused.json()["code"]) == (503, "no_charge_provider")
        assert int(refused["Retry-After"]) > 0
        assert changed(before) == []

    def test_an_answer_that_is_lost_leaves_it_unknown(self, market: Market, simulated: Any) -> None:
        simulated(lost_answers=100)
        credit(market, "100.00")
        shown = market.api("sita").post("charge-sales/", self.body(market))
        assert (shown.status_code, shown.json()["state"]) == (201, "unknown")
        assert available(market) == "70.00"
