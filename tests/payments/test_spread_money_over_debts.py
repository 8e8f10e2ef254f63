"""Allocation as a textbook would show it, and its laws for any amounts."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.money import CurrencyMismatch, Money
from tenant_apps.payments.allocation import Debt, Receipt, spread


def kes(text: str) -> Money:
    return Money.parse(text, "KES")


def receipt(number: int, left: Money) -> Receipt:
    return Receipt(payment_id=UUID(int=number), left=left)


def debt(number: int, outstanding: Money, collected: Money | None = None) -> Debt:
    return Debt(
        invoice_id=UUID(int=number),
        outstanding=outstanding,
        collected=collected or Money.zero(outstanding.currency),
    )


def test_one_payment_settles_one_invoice_exactly() -> None:
    result = spread(receipts=[receipt(1, kes("116.00"))], debts=[debt(9, kes("116.00"))])
    assert [share.amount for share in result.shares] == [kes("116.00")]
    assert result.unapplied == {}


def test_part_payment_leaves_the_rest_of_the_invoice_open() -> None:
    result = spread(receipts=[receipt(1, kes("40.00"))], debts=[debt(9, kes("116.00"))])
    assert [share.amount for share in result.shares] == [kes("40.00")]


def test_over_payment_stays_unapplied() -> None:
    result = spread(receipts=[receipt(1, kes("120.00"))], debts=[debt(9, kes("116.00"))])
    assert [share.amount for share in result.shares] == [kes("116.00")]
    assert result.unapplied == {UUID(int=1): kes("4.00")}
    assert result.steps[-1] == "4.00 KES unapplied: nothing more is owed"


def test_payment_without_a_debt_stays_unapplied() -> None:
    result = spread(receipts=[receipt(1, kes("5.00"))], debts=[])
    assert result.shares == ()
    assert result.unapplied == {UUID(int=1): kes("5.00")}


def test_oldest_payment_goes_first_and_parts_follow_one_another() -> None:
    result = spread(
        receipts=[receipt(1, kes("60.00")), receipt(2, kes("60.00"))],
        debts=[debt(9, kes("100.00"), collected=kes("16.00"))],
    )
    assert [
        (share.payment_id.int, share.amount, share.collected_before) for share in result.shares
    ] == [
        (1, kes("60.00"), kes("16.00")),
        (2, kes("40.00"), kes("76.00")),
    ]
    assert result.unapplied == {UUID(int=2): kes("20.00")}


def test_refuses_two_currencies() -> None:
    with pytest.raises(CurrencyMismatch):
        spread(receipts=[receipt(1, kes("5.00"))], debts=[debt(9, Money(500, "USD"))])


def test_refuses_a_negative_amount() -> None:
    with pytest.raises(ValueError, match="negative"):
        spread(receipts=[receipt(1, Money(-1, "KES"))], debts=[])


amounts = st.lists(st.integers(min_value=0, max_value=10**12), max_size=8)


@given(receipts=amounts, debts=amounts)
def test_never_more_than_there_is_or_than_is_owed(receipts: Any, debts: Any) -> None:
    result = spread(
        receipts=[receipt(n, Money(minor, "KES")) for n, minor in enumerate(receipts, 1)],
        debts=[debt(n, Money(minor, "KES")) for n, minor in enumerate(debts, 100)],
    )
    used = dict.fromkeys(range(1, len(receipts) + 1), 0)
    paid = dict.fromkeys(range(100, 100 + len(debts)), 0)
    for share in result.shares:
        assert share.amount.minor > 0
        # Each part begins where the one before it ended.
        assert share.collected_before.minor == paid[share.invoice_id.int]
        used[share.payment_id.int] += share.amount.minor
        paid[share.invoice_id.int] += share.amount.minor
    for number, minor in enumerate(receipts, 1):
        left = result.unapplied.get(UUID(int=number), Money.zero("KES")).minor
        assert used[number] + left == minor
    for number, minor in enumerate(debts, 100):
        assert paid[number] <= minor
    # Nothing is left lying while something is owed.
    assert sum(paid.values()) == min(sum(receipts), sum(debts))
