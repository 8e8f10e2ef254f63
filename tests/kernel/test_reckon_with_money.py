"""Sums, products and conversions of amounts."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.money import MAX_MINOR, AmountOutOfRange, CurrencyMismatch, Money
from shared_apps.kernel.rounding import Rounding

small = st.integers(min_value=-(10**15), max_value=10**15)


def kes(text: str) -> Money:
    return Money.parse(text, "KES")


def test_adds_subtracts_and_negates_within_a_currency() -> None:
    assert kes("10.00") + kes("2.50") - kes("0.51") == kes("11.99")
    assert -kes("3.00") == kes("-3.00")
    assert abs(kes("-3.00")) == kes("3.00")
    assert kes("1.10") * 3 == 3 * kes("1.10") == kes("3.30")


def test_totals_amounts_of_one_currency() -> None:
    assert Money.total([kes("1.00"), kes("2.00")], currency="KES") == kes("3.00")
    assert Money.total([], currency="KES") == Money.zero("KES")
    with pytest.raises(CurrencyMismatch):
        Money.total([kes("1.00")], currency="USD")


def test_never_mixes_currencies() -> None:
    dollars = Money.parse("1.00", "USD")
    for mix in (
        lambda: kes("1.00") + dollars,
        lambda: kes("1.00") - dollars,
        lambda: kes("1.00") < dollars,
        lambda: kes("1.00") <= dollars,
        lambda: kes("1.00") > dollars,
        lambda: kes("1.00") >= dollars,
    ):
        with pytest.raises(CurrencyMismatch):
            mix()
    assert kes("1.00") != dollars


@pytest.mark.parametrize("other", [1, 1.0, Decimal(1), "1.00", None])
def test_adds_nothing_but_money(other: object) -> None:
    with pytest.raises(TypeError):
        kes("1.00") + other  # type: ignore[operator]


@pytest.mark.parametrize("factor", [1.5, Decimal("1.5"), True])
def test_is_multiplied_without_rounding_by_whole_numbers_only(factor: object) -> None:
    with pytest.raises(TypeError):
        kes("1.00") * factor  # type: ignore[operator]


def test_multiplies_exactly_and_rounds_once() -> None:
    # A commission of 7.5 % on 1,234.50 is 92.5875.
    assert kes("1234.50").multiply(Decimal("0.075")) == kes("92.59")
    assert kes("100.00").multiply(Fraction(1, 3)) == kes("33.33")
    assert kes("0.05").multiply(Decimal("0.5")) == kes("0.02")
    assert kes("0.05").multiply(Decimal("0.5"), Rounding.HALF_UP) == kes("0.03")
    assert kes("0.05").multiply(Decimal("0.5"), "ROUND_UP") == kes("0.03")


def test_refuses_floats_as_factors() -> None:
    with pytest.raises(TypeError):
        kes("1.00").multiply(0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        kes("1.00").multiply(Decimal("NaN"))


def test_converts_between_currencies_of_different_decimals() -> None:
    # 1 USD buys 129.30 KES; 1 KES buys 1.16 JPY, which has no decimals; 1 USD buys 0.3072 KWD.
    assert Money.parse("12.34", "USD").convert(rate=Decimal("129.30"), currency="KES") == kes(
        "1595.56"
    )
    assert kes("1000.55").convert(rate=Decimal("1.16"), currency="JPY") == Money(1161, "JPY")
    assert Money(100, "USD").convert(rate=Decimal("0.3072"), currency="KWD") == Money(307, "KWD")


def test_converts_at_rates_above_zero_only() -> None:
    for rate in (Decimal(0), Decimal(-1)):
        with pytest.raises(ValueError):
            kes("1.00").convert(rate=rate, currency="USD")


def test_makes_an_amount_of_an_exact_number_of_major_units() -> None:
    assert Money.of_major(Decimal("12.345"), "KES") == kes("12.34")
    assert Money.of_major(Fraction(2, 3), "JPY") == Money(1, "JPY")
    assert Money.of_major(7, "KWD") == Money(7000, "KWD")


def test_says_when_a_result_is_too_large() -> None:
    largest = Money(MAX_MINOR, "KES")
    growths: list[Callable[[], Money]] = [
        lambda: largest + Money(1, "KES"),
        lambda: largest * 2,
        lambda: largest.multiply(Fraction(3, 2)),
        lambda: Money.total([largest, largest], currency="KES"),
    ]
    for grow in growths:
        with pytest.raises(AmountOutOfRange):
            grow()


@given(small, small)
def test_agrees_with_whole_numbers(one: int, other: int) -> None:
    left, right = Money(one, "KES"), Money(other, "KES")
    assert (left + right).minor == one + other
    assert (left - right).minor == one - other
    assert (left < right) == (one < other)
    assert (left <= right) == (one <= other)
    assert (left == right) == (one == other)
    assert left == right or hash(left) != hash(right) or one != other


@given(small, st.fractions(min_value=-10, max_value=10))
def test_is_never_off_by_more_than_half_a_unit(minor: int, factor: Fraction) -> None:
    result = Money(minor, "KES").multiply(factor)
    assert abs(result.minor - minor * factor) <= Fraction(1, 2)
