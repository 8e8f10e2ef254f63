"""Rounding exact values to whole units."""

import json
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.rounding import Rounding, round_to_int

# The publisher's names for two of the modes.
PUBLISHED = {"HALF_POSITIVE_INFINITY": "HALF_CEILING", "HALF_NEGATIVE_INFINITY": "HALF_FLOOR"}


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (Rounding.HALF_EVEN, [-4, -2, -2, 2, 2, 4]),
        (Rounding.HALF_ODD, [-3, -3, -1, 1, 3, 3]),
        (Rounding.HALF_UP, [-4, -3, -2, 2, 3, 4]),
        (Rounding.HALF_DOWN, [-3, -2, -1, 1, 2, 3]),
        (Rounding.HALF_CEILING, [-3, -2, -1, 2, 3, 4]),
        (Rounding.HALF_FLOOR, [-4, -3, -2, 1, 2, 3]),
        (Rounding.UP, [-4, -3, -2, 2, 3, 4]),
        (Rounding.DOWN, [-3, -2, -1, 1, 2, 3]),
        (Rounding.CEILING, [-3, -2, -1, 2, 3, 4]),
        (Rounding.FLOOR, [-4, -3, -2, 1, 2, 3]),
    ],
)
def test_settles_halves_by_its_mode(mode: Rounding, expected: list[int]) -> None:
    halves = [Decimal(text) for text in ("-3.5", "-2.5", "-1.5", "1.5", "2.5", "3.5")]
    assert [round_to_int(half, mode) for half in halves] == expected


def test_agrees_with_published_examples(trial_data: Path) -> None:
    examples = json.loads((trial_data / "oracles" / "money_allocation_rounding.json").read_text())
    for example in examples["rounding"]:
        mode = Rounding[PUBLISHED.get(example["mode"], example["mode"])]
        rounded = round_to_int(Decimal(example["value"]), mode)
        assert str(rounded) == example["expected"], example


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9
    ),
    st.sampled_from([ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, ROUND_DOWN]),
)
def test_agrees_with_the_decimal_module(value: Decimal, mode: str) -> None:
    assert round_to_int(value, mode) == int(value.quantize(Decimal(1), rounding=mode))


@pytest.mark.parametrize("value", [1.5, True, "1.5", None])
def test_takes_exact_numbers_only(value: object) -> None:
    with pytest.raises(TypeError):
        round_to_int(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_refuses_what_cannot_be_counted(value: Decimal) -> None:
    with pytest.raises(ValueError):
        round_to_int(value)


def test_refuses_a_mode_it_does_not_know() -> None:
    with pytest.raises(ValueError):
        round_to_int(Fraction(1, 2), "ROUND_SOMEHOW")
