"""The demo's kiosks: what they show is made by the services of everybody, and the books hold."""

from typing import Any

from shared_apps.onboarding.demo.credit import make_credit
from tenant_apps.ledger.verification import verify
from tenant_apps.wallets.models import ChargeSale, DepositRequest, Wallet
from tests.people import make_person


def test_two_kiosks_with_a_past(tenant: Any, simulated: Any) -> None:
    provider = simulated()
    sellers = [make_person(f"Seller {number}", role="seller").pk for number in range(2)]
    keeper = make_person("Wema Keeper", role="wallet_admin").pk
    make_credit(seller_ids=sellers, keeper_id=keeper)
    assert set(DepositRequest.objects.values_list("state", flat=True)) == {
        "approved",
        "denied",
        "pending",
    }
    assert set(ChargeSale.objects.values_list("state", flat=True)) == {"sold", "failed"}
    assert all(wallet.available.is_positive for wallet in Wallet.objects.with_funds())
    assert provider.charges() == []
    assert verify().books_hold


def test_without_a_provider_nothing_is_sold(tenant: Any, settings: Any) -> None:
    settings.CHARGE_PROVIDER_URL = ""
    sellers = [make_person(f"Seller {number}", role="seller").pk for number in range(2)]
    make_credit(seller_ids=sellers, keeper_id=make_person("Wema", role="wallet_admin").pk)
    assert ChargeSale.objects.count() == 0
