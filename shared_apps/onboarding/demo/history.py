"""Eighteen months of business, made by the same services as everybody's. Deterministic."""

import random
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from shared_apps.access.actors import actor_for_user, system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from shared_apps.onboarding.demo.cast import CURRENCY, TIME_ZONE
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.deals.services import (
    DealWin,
    NewDeal,
    StageMove,
    change_stages,
    record_deals,
    win_deals,
)
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Method
from tenant_apps.payments.services import (
    NewPayment,
    Verification,
    record_payments,
    reject_payment,
    verify_payments,
)

DEALS = 360
DAYS = 548
_METHODS = (
    (Method.BANK_TRANSFER, 45),
    (Method.MOBILE_MONEY, 30),
    (Method.CHEQUE, 10),
    (Method.CARD, 10),
    (Method.CASH, 5),
)


@dataclass(frozen=True, slots=True)
class Seller:
    """Somebody who sells: who, in which unit, and how likely a deal is won (in hundredths)."""

    user_id: UUID
    unit_id: UUID
    luck: int


@dataclass(frozen=True, slots=True)
class Planned:
    """How a deal is to go."""

    new: NewDeal
    ends_as: str
    closes_on: date | None


@step
@transaction.atomic
def make_history(
    *,
    sellers: list[Seller],
    client_ids: list[UUID],
    products: list[tuple[UUID, int]],
    verifier_id: UUID,
) -> int:
    """Record deals over eighteen months, close most of them, and the payments that followed.

    Returns how many deals there are.
    """
    dice = random.Random(1906)  # noqa: S311  (the same demo everywhere; nothing secret)
    actor = system_actor("demo", quiet=True)
    today = clock.today(TIME_ZONE)
    planned = [_plan(dice, today, sellers, client_ids, products) for _ in range(DEALS)]
    planned.sort(key=lambda one: one.new.staged_on or today)
    deals = record_deals(
        actor=actor,
        deals=[one.new for one in planned],
        quota_bypass_reason="the demo's invented past",
    )
    pairs = list(zip(deals, planned, strict=True))
    change_stages(
        actor=actor,
        moves=[
            StageMove(deal_id=deal.id, to_stage=Stage.LOST, occurred_on=one.closes_on)
            for deal, one in pairs
            if one.ends_as == Stage.LOST
        ],
    )
    won = [(deal, one) for deal, one in pairs if one.ends_as == Stage.WON]
    win_deals(
        actor=actor,
        wins=[DealWin(deal_id=deal.id, closed_on=one.closes_on) for deal, one in won],
    )
    _pay(dice, today, won, verifier_id)
    _pay_in_advance(dice, today, pairs)
    return len(deals)


def _plan(
    dice: random.Random,
    today: date,
    sellers: list[Seller],
    client_ids: list[UUID],
    products: list[tuple[UUID, int]],
) -> Planned:
    seller = dice.choice(sellers)
    product_id, price = dice.choice(products)
    begun = today - timedelta(days=int(DAYS * dice.random() ** 1.2) + 1)
    closes = begun + timedelta(days=dice.randint(4, 75))
    if closes > today:
        ends_as = Stage.ENGAGING if dice.random() < 0.7 else Stage.PROSPECTING
    else:
        ends_as = Stage.WON if dice.randint(1, 100) <= seller.luck else Stage.LOST
    value = price * dice.randint(1, 12) * dice.randint(88, 100)
    return Planned(
        new=NewDeal(
            owner_id=seller.user_id,
            unit_id=seller.unit_id,
            value=Money(value, CURRENCY),
            client_id=dice.choice(client_ids),
            product_id=product_id,
            stage=Stage.PROSPECTING if ends_as == Stage.PROSPECTING else Stage.ENGAGING,
            staged_on=begun,
            expected_close_on=closes,
        ),
        ends_as=ends_as,
        closes_on=closes if ends_as in (Stage.WON, Stage.LOST) else None,
    )


def _method(dice: random.Random) -> str:
    return dice.choices([m for m, _ in _METHODS], [weight for _, weight in _METHODS])[0]


def _pay(
    dice: random.Random, today: date, won: list[tuple[Deal, Planned]], verifier_id: UUID
) -> None:
    """Payments in every state: whole, in parts, too much, waiting, rejected, and none yet."""
    totals = {
        invoice.deal_id: invoice.total
        for invoice in Invoice.objects.filter(deal_id__in=[deal.id for deal, _ in won])
    }
    wanted: list[tuple[NewPayment, str]] = []
    for deal, one in won:
        assert one.closes_on is not None
        for share, outcome in _course(dice, age=(today - one.closes_on).days):
            paid_on = min(one.closes_on + timedelta(days=dice.randint(1, 40)), today)
            minor = totals[deal.id].minor * share // 100
            wanted.append(
                (
                    NewPayment(
                        deal_id=deal.id,
                        method=_method(dice),
                        amount=Money(minor, CURRENCY),
                        paid_on=paid_on,
                        recorded_by=deal.owner_id,
                    ),
                    outcome,
                )
            )
    wanted.sort(key=lambda pair: pair[0].paid_on)
    payments = record_payments(
        actor=system_actor("demo", quiet=True), payments=[new for new, _ in wanted]
    )
    outcomes = [outcome for _, outcome in wanted]
    verifier = actor_for_user(user_id=verifier_id, quiet=True)
    verify_payments(
        actor=verifier,
        verifications=[
            Verification(payment_id=payment.id, remarks="Seen on the account.")
            for payment, outcome in zip(payments, outcomes, strict=True)
            if outcome == "verified"
        ],
    )
    for payment, outcome in zip(payments, outcomes, strict=True):
        if outcome == "rejected":
            reject_payment(
                actor=verifier, payment_id=payment.id, remarks="Not on the bank's statement."
            )


def _course(dice: random.Random, *, age: int) -> list[tuple[int, str]]:
    """The payments of one invoice: share of its total in hundredths, and what becomes of each."""
    if age < 12:
        return dice.choice([[], [(100, "pending")], [(50, "pending")]])
    return dice.choices(
        [
            [(100, "verified")],
            [(50, "verified"), (50, "verified")],
            [(30, "verified")],
            [(105, "verified")],
            [(100, "rejected"), (100, "verified")],
            [(40, "verified"), (60, "pending")],
            [],
        ],
        [60, 14, 6, 3, 5, 6, 6],
    )[0]


def _pay_in_advance(dice: random.Random, today: date, pairs: list[tuple[Deal, Planned]]) -> None:
    """A few clients pay before the deal is won."""
    waiting = [deal for deal, one in pairs if one.ends_as == Stage.ENGAGING][:6]
    record_payments(
        actor=system_actor("demo", quiet=True),
        payments=[
            NewPayment(
                deal_id=deal.id,
                method=_method(dice),
                amount=Money(max(deal.value_minor // 4, 1), CURRENCY),
                paid_on=today,
                recorded_by=deal.owner_id,
                note="Paid in advance.",
            )
            for deal in waiting
        ],
    )
