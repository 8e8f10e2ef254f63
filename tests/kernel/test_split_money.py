"""Splitting an amount: largest remainder, nothing lost, nothing invented."""

import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.money import MAX_MINOR, Money

weights = st.lists(st.integers(min_value=0, max_value=10**6), min_size=1, max_size=30).filter(any)


def minors(parts: list[Money]) -> list[int]:
    return [part.minor for part in parts]


def test_gives_the_odd_cent_to_the_first_of_equal_parts() -> None:
    assert minors(Money(100, "EUR").split(3)) == [34, 33, 33]
    assert minors(Money(101, "EUR").split(3)) == [34, 34, 33]


def test_gives_what_is_left_to_the_largest_remainder() -> None:
    # 10.00 over 1:2:4 is 1.428..., 2.857..., 5.714...: the second misses its cent the most.
    assert minors(Money(1000, "EUR").split([1, 2, 4])) == [143, 286, 571]


def test_a_weight_of_zero_gets_nothing() -> None:
    assert minors(Money(5, "EUR").split([7, 3, 0])) == [4, 1, 0]


def test_agrees_with_published_examples(trial_data: Path) -> None:
    examples = json.loads((trial_data / "oracles" / "money_allocation_rounding.json").read_text())
    for example in examples["allocate"]:
        ratios = [Decimal(str(ratio)) for ratio in example["ratios"]]
        assert minors(Money(example["amount"], "EUR").split(ratios)) == example["expected"], example
    for example in examples["allocate_to_n"]:
        parts = Money(example["amount"], "EUR").split(example["n"])
        assert minors(parts) == example["expected"], example


@pytest.mark.parametrize("shares", [0, -1, [], [0], [0, 0], [1, -1], [2, -1]])
def test_refuses_shares_that_are_none(shares: object) -> None:
    with pytest.raises(ValueError):
        Money(100, "EUR").split(shares)  # type: ignore[arg-type]


def test_refuses_floats_as_weights() -> None:
    with pytest.raises(TypeError):
        Money(100, "EUR").split([0.5, 0.5])  # type: ignore[list-item]


@given(st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR), weights)
def test_loses_and_invents_nothing(minor: int, shares: list[int]) -> None:
    assert sum(minors(Money(minor, "EUR").split(shares))) == minor


@given(st.integers(min_value=-(10**12), max_value=10**12), weights)
def test_keeps_every_part_within_one_unit_of_its_share(minor: int, shares: list[int]) -> None:
    parts = minors(Money(minor, "EUR").split(shares))
    for part, weight in zip(parts, shares, strict=True):
        assert abs(part - Fraction(minor * weight, sum(shares))) < 1


@given(st.integers(min_value=0, max_value=10**12), weights)
def test_gives_the_larger_weight_at_least_as_much(minor: int, shares: list[int]) -> None:
    ranked = sorted(shares, reverse=True)
    parts = minors(Money(minor, "EUR").split(ranked))
    assert parts == sorted(parts, reverse=True)
