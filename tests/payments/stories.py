"""Short ways to the situations that tests of payments begin with."""

from __future__ import annotations

from datetime import date
from typing import Any

from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Deal
from tenant_apps.payments.models import Payment
from tenant_apps.payments.services import NewPayment, record_payments, verify_payment
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal

PAID_ON = date(2026, 3, 10)


def kes(amount: str) -> Money:
    return Money.parse(amount, "KES")


def new_payment(deal: Deal, amount: Money | None = None, **values: Any) -> NewPayment:
    return NewPayment(
        **{
            "deal_id": deal.pk,
            "method": "cash",
            "amount": kes("1250.00") if amount is None else amount,
            "paid_on": PAID_ON,
            **values,
        }
    )


def a_payment(
    cast: Cast, deal: Deal, amount: Money | None = None, *, by: str = "olga", **values: Any
) -> Payment:
    """A payment that waits, recorded by the owner of the deal."""
    return record_payments(actor=cast.actor(by), payments=[new_payment(deal, amount, **values)])[0]


def a_verified_payment(
    cast: Cast, deal: Deal, amount: Money | None = None, **values: Any
) -> Payment:
    payment = a_payment(cast, deal, amount, **values)
    return verify_payment(actor=cast.actor("vera"), payment_id=payment.pk)


def an_open_deal(cast: Cast, **values: Any) -> Deal:
    """A deal with a client, not won yet: it has no invoice."""
    return a_deal(cast, client_id=values.pop("client_id", None) or a_client(cast).pk, **values)


__all__ = [
    "PAID_ON",
    "a_client",
    "a_payment",
    "a_verified_payment",
    "a_won_deal",
    "an_open_deal",
    "kes",
    "new_payment",
]
