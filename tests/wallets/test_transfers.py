"""Credit from one seller to another."""

from functools import partial

import pytest

from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import WalletTransfer
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, allow_transfers, credit, kes, transfer


def test_moves_credit_at_once(market: Market) -> None:
    credit(market, "100.00")
    allow_transfers(market)
    moved = transfer(market, "30.00")
    assert (market.balance("sita"), market.balance("seth")) == ("70.00", "30.00")
    assert moved.reference.startswith("WTR-")
    assert verify().books_hold


def test_not_allowed_unless_somebody_said_so(market: Market) -> None:
    credit(market, "100.00")
    before = snapshot()
    with pytest.raises(errors.TransfersNotAllowed):
        transfer(market, "30.00")
    assert changed(before) == []


def test_a_sellers_own_setting_goes_before_the_policy(market: Market) -> None:
    credit(market, "100.00")
    change = partial(
        services.change_seller,
        actor=market.actor("wanda"),
        seller_id=market.sellers["sita"].pk,
    )
    change(changes={"may_transfer": True})
    transfer(market, "30.00")
    allow_transfers(market)
    change(changes={"may_transfer": False})
    with pytest.raises(errors.TransfersNotAllowed):
        transfer(market, "30.00")
    assert market.balance("seth") == "30.00"


def test_never_more_than_there_is(market: Market) -> None:
    credit(market, "100.00")
    allow_transfers(market)

    body = {
        "wallet": str(market.wallets["sita"].pk),
        "to_seller": market.sellers["seth"].reference,
        "amount": {"amount": "100.01", "currency": "KES"},
    }
    refused = market.api("sita").post("wallet-transfers/", body)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_enough_credit")
    assert (market.balance("sita"), market.balance("seth")) == ("100.00", "0.00")
    assert WalletTransfer.objects.count() == 0


def test_refuses_itself_strangers_and_other_currencies(market: Market) -> None:
    credit(market, "100.00")
    allow_transfers(market)
    before = snapshot()
    with pytest.raises(errors.TransferToSelf):
        transfer(market, "1.00", to="sita")
    with pytest.raises(BadInput):
        transfer(market, "1.00", of="seth", wallet=market.wallets["sita"].pk)
    seth = market.sellers["seth"].reference
    for reference, amount, error in (
        ("SEL-9999", kes("1.00"), BadInput),
        (seth, Money(100, "USD"), errors.WalletCurrencyDiffers),
        (seth, kes("0.00"), BadInput),
    ):
        with pytest.raises(error):
            services.transfer_credit(
                actor=market.actor("sita"),
                transfer=services.NewTransfer(
                    wallet_id=market.wallets["sita"].pk, to_seller=reference, amount=amount
                ),
            )
    assert changed(before) == []


@pytest.mark.parametrize("who", ["sita", "seth"])
def test_suspended_sellers_neither_give_nor_take(market: Market, who: str) -> None:
    credit(market, "100.00")
    allow_transfers(market)
    services.suspend_seller(actor=market.actor("wanda"), seller_id=market.sellers[who].pk)
    with pytest.raises((errors.SellerSuspended, BadInput)):
        transfer(market, "30.00")
    assert market.balance("sita") == "100.00"
