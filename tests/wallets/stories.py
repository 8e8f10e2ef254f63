"""Who stands in tests of credit, and short ways to the situations they begin with.

Sita and Seth sell; Wanda and Wim keep the wallets; Ada administers; Olga only sells on invoice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.accounts.models import User
from shared_apps.accounts.services import start_session
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.selectors import balance_of
from tenant_apps.wallets import services
from tenant_apps.wallets.models import ChargeSale, DepositRequest, Seller, Wallet
from tests.cast import Caller
from tests.people import make_person

PAID_ON = date(2026, 3, 10)
ROLES = {
    "sita": "seller",
    "seth": "seller",
    "wanda": "wallet_admin",
    "wim": "wallet_admin",
    "ada": "admin",
    "olga": "salesperson",
}


def kes(amount: str) -> Money:
    return Money.parse(amount, "KES")


@dataclass(frozen=True)
class Market:
    """People, sellers and wallets by first names."""

    people: dict[str, User]
    sellers: dict[str, Seller]
    wallets: dict[str, Wallet]

    def actor(self, name: str) -> Actor:
        return actor_for_user(user_id=self.people[name].pk, request_id=f"test-{name}")

    @property
    def system(self) -> Actor:
        return system_actor("test")

    def api(self, name: str, *, host: str = "acme.kontor.test") -> Caller:
        signed_in = start_session(
            user=self.people[name],
            method="credentials",
            actor=system_actor("test"),
            second_factor_at=clock.now(),
        )
        return Caller(signed_in.tokens.access, host=host)

    def wallet(self, name: str) -> Wallet:
        return Wallet.objects.with_funds().get(pk=self.wallets[name].pk)

    def balance(self, name: str) -> str:
        held = balance_of(account_code="2400", currency="KES", subledger_id=self.sellers[name].pk)
        return held.to_string()


def open_market() -> Market:
    """The people, and two sellers with an empty wallet in shillings each."""
    people = {name: make_person(name.title(), role=role) for name, role in ROLES.items()}
    system = system_actor("test")
    sellers = {
        name: services.add_seller(
            actor=system,
            seller=services.NewSeller(name=f"Kiosk {name.title()}", user_id=people[name].pk),
        )
        for name in ("sita", "seth")
    }
    wallets = {
        name: services.open_wallet(actor=system, seller_id=seller.pk, currency="KES")
        for name, seller in sellers.items()
    }
    services.add_operator(actor=system, code="savanna", name="Savanna", prefixes=["+2547"])
    services.add_operator(actor=system, code="lake", name="Lake", prefixes=["+25473", "+25410"])
    return Market(people=people, sellers=sellers, wallets=wallets)


def a_deposit(
    market: Market,
    amount: str | Money = "1000.00",
    *,
    of: str = "sita",
    by: str = "",
    **values: Any,
) -> DepositRequest:
    """A deposit request that waits, asked for by the seller."""
    wanted = {
        "wallet_id": market.wallets[of].pk,
        "method": "bank_transfer",
        "amount": kes(amount) if isinstance(amount, str) else amount,
        "paid_on": PAID_ON,
        **values,
    }
    return services.request_deposit(
        actor=market.actor(by or of), deposit=services.NewDeposit(**wanted)
    )


def credit(market: Market, amount: str, *, of: str = "sita") -> DepositRequest:
    """A deposit that Wanda approved: the wallet holds that much more."""
    deposit = a_deposit(market, amount, of=of)
    return services.approve_deposit(actor=market.actor("wanda"), deposit_id=deposit.pk)


def allow_transfers(market: Market) -> None:
    services.change_policy(actor=market.actor("wanda"), transfers_allowed=True)


def transfer(
    market: Market, amount: str, *, of: str = "sita", to: str = "seth", wallet: UUID | None = None
) -> Any:
    return services.transfer_credit(
        actor=market.actor(of),
        transfer=services.NewTransfer(
            wallet_id=wallet or market.wallets[of].pk,
            to_seller=market.sellers[to].reference,
            amount=kes(amount),
        ),
    )


PHONE = "+254712345678"


def a_sale(
    market: Market, amount: str = "10.00", *, of: str = "sita", phone: str = PHONE
) -> ChargeSale:
    """A sale whose credit is held; the provider was not called."""
    sale = services.NewSale(wallet_id=market.wallets[of].pk, phone=phone, amount=kes(amount))
    # A refusal spends its transaction, which here is not the test's.
    with transaction.atomic():
        return services.place_charge_sale(actor=market.actor(of), sale=sale)


def deliver(market: Market, sale: ChargeSale) -> ChargeSale:
    services.deliver_sale(sale_id=sale.pk, actor=market.system)
    return ChargeSale.objects.get(pk=sale.pk)


def sell(market: Market, amount: str = "10.00", **values: Any) -> ChargeSale:
    return deliver(market, a_sale(market, amount, **values))
