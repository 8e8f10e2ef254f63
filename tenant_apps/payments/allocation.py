"""How money that came in is spread over what is owed. Values in, shares and steps out.

The oldest money goes first, to the oldest debt, never more than there is and never more than is
owed; what no debt takes is left unapplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from shared_apps.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money at hand: what is left of one payment."""

    payment_id: UUID
    left: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """What is still owed on one invoice, and what it has received so far."""

    invoice_id: UUID
    outstanding: Money
    collected: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A part of one payment for one invoice."""

    payment_id: UUID
    invoice_id: UUID
    amount: Money
    collected_before: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The shares in the order in which they were taken, and what no debt took."""

    shares: tuple[Share, ...]
    unapplied: dict[UUID, Money]
    steps: tuple[str, ...]


def spread(*, receipts: Sequence[Receipt], debts: Sequence[Debt]) -> Spread:
    """Spread receipts over debts, both in the order given.

    Amounts are in the minor units of one currency.

    :raises CurrencyMismatch: receipts and debts are not all in one currency.
    :raises ValueError: an amount is negative.
    """
    _check(receipts=receipts, debts=debts)
    shares: list[Share] = []
    steps: list[str] = []
    unapplied: dict[UUID, Money] = {}
    open_debts = [debt for debt in debts if debt.outstanding.minor > 0]
    position = 0
    taken = Money.zero(debts[0].outstanding.currency) if debts else None
    for receipt in receipts:
        left = receipt.left
        while left.minor > 0 and taken is not None and position < len(open_debts):
            debt = open_debts[position]
            owed = debt.outstanding - taken
            amount = min(left, owed)
            shares.append(
                Share(
                    payment_id=receipt.payment_id,
                    invoice_id=debt.invoice_id,
                    amount=amount,
                    collected_before=debt.collected + taken,
                )
            )
            steps.append(
                f"{left.to_string()} {left.currency} at hand, {owed.to_string()} owed: "
                f"{amount.to_string()} used"
            )
            left = left - amount
            taken = taken + amount
            if taken == debt.outstanding:
                position += 1
                taken = Money.zero(left.currency)
        if left.minor > 0:
            unapplied[receipt.payment_id] = left
            steps.append(f"{left.to_string()} {left.currency} unapplied: nothing more is owed")
    return Spread(shares=tuple(shares), unapplied=unapplied, steps=tuple(steps))


def _check(*, receipts: Sequence[Receipt], debts: Sequence[Debt]) -> None:
    amounts = [receipt.left for receipt in receipts]
    amounts += [debt.outstanding for debt in debts] + [debt.collected for debt in debts]
    for amount in amounts:
        if amount.minor < 0:
            raise ValueError(f"An amount to be spread is negative: {amount}.")
        # Adding raises on another currency; the sum itself is of no interest.
        _ = amounts[0] + amount
