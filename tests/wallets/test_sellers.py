"""Adding, changing and suspending sellers; opening wallets."""

import pytest

from shared_apps.kernel.errors import BadInput, Forbidden, NotFound, PreconditionFailed
from tenant_apps.parties.models import PartyRole
from tenant_apps.wallets import errors, services
from tenant_apps.wallets.models import Seller, Wallet
from tests.snapshots import changed, snapshot
from tests.wallets.stories import Market, a_deposit, credit, kes


def test_a_seller_is_a_role_of_a_party(market: Market) -> None:
    seller = services.add_seller(
        actor=market.actor("wanda"), seller=services.NewSeller(name="Kiosk North", phone="0712")
    )
    assert seller.party.name == "Kiosk North"
    assert [role.role for role in PartyRole.objects.filter(party=seller.party)] == ["seller"]
    assert seller.reference.startswith("SEL-")
    assert seller.state == "active"


def test_refuses_a_second_seller_of_one_user(market: Market) -> None:
    before = snapshot()
    with pytest.raises(errors.SellerAlreadyAdded):
        services.add_seller(
            actor=market.actor("wanda"),
            seller=services.NewSeller(name="Again", user_id=market.people["sita"].pk),
        )
    assert changed(before) == []


def test_refuses_neither_party_nor_name(market: Market) -> None:
    with pytest.raises(BadInput):
        services.add_seller(actor=market.actor("wanda"), seller=services.NewSeller())


def test_sellers_add_no_sellers(market: Market) -> None:
    before = snapshot()
    with pytest.raises(Forbidden):
        services.add_seller(actor=market.actor("sita"), seller=services.NewSeller(name="Friend"))
    assert changed(before) == []


def test_a_seller_sees_only_itself(market: Market) -> None:
    for path, own in (("sellers/", market.sellers), ("wallets/", market.wallets)):
        shown = market.api("sita").get(path).json()["results"]
        assert [row["id"] for row in shown] == [str(own["sita"].pk)]
        assert market.api("sita").get(f"{path}{own['seth'].pk}/").status_code == 404
        assert len(market.api("wanda").get(path).json()["results"]) == 2
    assert market.api("olga").get("wallets/").json()["results"] == []


def test_suspended_sellers_ask_for_nothing(market: Market) -> None:
    seller = market.sellers["sita"]
    services.suspend_seller(actor=market.actor("wanda"), seller_id=seller.pk)
    with pytest.raises(errors.SellerSuspended):
        a_deposit(market)
    with pytest.raises(errors.SellerStateUnchanged):
        services.suspend_seller(actor=market.actor("wanda"), seller_id=seller.pk)
    services.reinstate_seller(actor=market.actor("wanda"), seller_id=seller.pk)
    a_deposit(market)


def test_a_stale_version_is_refused(market: Market) -> None:
    with pytest.raises(PreconditionFailed):
        services.change_seller(
            actor=market.actor("wanda"),
            seller_id=market.sellers["sita"].pk,
            changes={"may_transfer": True},
            expected_version=7,
        )
    assert Seller.objects.get(pk=market.sellers["sita"].pk).may_transfer is None


def test_one_wallet_for_each_currency(market: Market) -> None:
    actor, seller = market.actor("wanda"), market.sellers["sita"].pk
    services.open_wallet(actor=actor, seller_id=seller, currency="USD")
    with pytest.raises(errors.WalletAlreadyOpen):
        services.open_wallet(actor=actor, seller_id=seller, currency="USD")
    with pytest.raises(BadInput):
        services.open_wallet(actor=actor, seller_id=seller, currency="ZZZ")
    assert Wallet.objects.filter(seller_id=seller).count() == 2


def test_sellers_set_no_limits(market: Market) -> None:
    with pytest.raises(Forbidden):
        services.change_wallet(
            actor=market.actor("sita"),
            wallet_id=market.wallets["sita"].pk,
            changes={"daily_limit": kes("1000000.00")},
        )
    with pytest.raises(NotFound):
        services.change_wallet(
            actor=market.actor("sita"), wallet_id=market.wallets["seth"].pk, changes={}
        )


def test_limits_are_set_and_taken_away(market: Market) -> None:
    wallet, ada = market.wallets["sita"], market.api("wanda")
    path = f"wallets/{wallet.pk}/"
    limit = {"amount": "50.00", "currency": "KES"}
    shown = ada.patch(path, {"sale_limit": limit, "daily_limit": limit}).json()
    assert (shown["sale_limit"], shown["daily_limit"]) == (limit, limit)
    assert ada.patch(path, {"sale_limit": None}).json()["sale_limit"] is None
    dollars = {"amount": "50.00", "currency": "USD"}
    assert ada.patch(path, {"sale_limit": dollars}).json()["code"] == "wallet_currency_differs"


def test_shows_balance_held_and_available(market: Market) -> None:
    credit(market, "250.00")
    shown = market.api("sita").get(f"wallets/{market.wallets['sita'].pk}/").json()
    assert shown["balance"] == shown["available"] == {"amount": "250.00", "currency": "KES"}
    assert shown["held"]["amount"] == "0.00"
