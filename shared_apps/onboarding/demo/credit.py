"""Two kiosks of the demo that sell phone charge against prepaid credit."""

import random
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.onboarding.demo.cast import CURRENCY, KIOSKS, OPERATORS, TIME_ZONE
from tenant_apps.wallets import services
from tenant_apps.wallets.models import Wallet
from tenant_apps.wallets.providers import ChargeAnswer, Outcome

_SALES = 40


@step
@transaction.atomic
def make_credit(*, seller_ids: list[UUID], keeper_id: UUID) -> None:
    """Sellers with wallets and limits, deposits in every state, a transfer and a day's sales."""
    dice = random.Random(1907)  # noqa: S311  (the same demo everywhere; nothing secret)
    system = system_actor("demo", quiet=True)
    keeper = actor_for_user(user_id=keeper_id, quiet=True)
    for code, name, prefixes in OPERATORS:
        services.add_operator(actor=system, code=code, name=name, prefixes=prefixes)
    services.change_policy(actor=system, transfers_allowed=True)
    wallets = [_wallet(name, user_id) for name, user_id in zip(KIOSKS, seller_ids, strict=True)]
    for wallet, user_id in zip(wallets, seller_ids, strict=True):
        seller = actor_for_user(user_id=user_id, quiet=True)
        deposits = [
            services.request_deposit(
                actor=seller,
                deposit=services.NewDeposit(
                    wallet_id=wallet.pk,
                    method=method,
                    amount=Money(major * 100, CURRENCY),
                    paid_on=clock.today(TIME_ZONE) - timedelta(days=days),
                    external_reference=f"RK{dice.randint(10**7, 10**8 - 1)}",
                ),
            )
            for method, major, days in (
                ("mobile_money", 20_000, 9),
                ("bank_transfer", 35_000, 4),
                ("cash", 5_000, 2),
                ("mobile_money", 12_000, 0),
            )
        ]
        for deposit in deposits[:2]:
            services.approve_deposit(actor=keeper, deposit_id=deposit.pk, remark="Seen.")
        services.deny_deposit(
            actor=keeper, deposit_id=deposits[2].pk, reason="There is no such cash receipt."
        )
    giver, taker = wallets
    services.transfer_credit(
        actor=actor_for_user(user_id=seller_ids[0], quiet=True),
        transfer=services.NewTransfer(
            wallet_id=giver.pk,
            to_seller=taker.seller.reference,
            amount=Money(2_500_00, CURRENCY),
            note="For the weekend.",
        ),
    )
    if settings.CHARGE_PROVIDER_URL:
        _sell(dice, wallets, seller_ids)


def _wallet(name: str, user_id: UUID) -> Wallet:
    actor = system_actor("demo", quiet=True)
    seller = services.add_seller(actor=actor, seller=services.NewSeller(name=name, user_id=user_id))
    wallet = services.open_wallet(actor=actor, seller_id=seller.pk, currency=CURRENCY)
    return services.change_wallet(
        actor=actor,
        wallet_id=wallet.pk,
        changes={
            "sale_limit": Money(5_000_00, CURRENCY),
            "daily_limit": Money(50_000_00, CURRENCY),
            "low_balance": Money(10_000_00, CURRENCY),
        },
    )


def _sell(dice: random.Random, wallets: list[Wallet], seller_ids: list[UUID]) -> None:
    """Sales of today. Nobody is called: what the provider said is invented with the rest."""
    for number in range(_SALES):
        place = number % len(wallets)
        seller = actor_for_user(user_id=seller_ids[place], quiet=True)
        sale = services.place_charge_sale(
            actor=seller,
            sale=services.NewSale(
                wallet_id=wallets[place].pk,
                phone=f"+2547{dice.choice('0123')}{dice.randint(10**6, 10**7 - 1)}",
                amount=Money(dice.choice((50, 100, 200, 500, 1000)) * 100, CURRENCY),
            ),
        )
        services.settle_sale(
            sale_id=sale.pk,
            answer=ChargeAnswer(outcome=Outcome.REFUSED, reason="the number is not in service")
            if dice.random() < 0.1
            else ChargeAnswer(outcome=Outcome.DELIVERED, provider_reference=f"DEMO-{number:04d}"),
            actor=seller,
        )
