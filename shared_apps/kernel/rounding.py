"""Rounding of exact values to whole minor units."""

from decimal import Decimal
from enum import StrEnum
from fractions import Fraction


class Rounding(StrEnum):
    """What happens to the part below one unit. Values are the names `decimal` uses."""

    HALF_EVEN = "ROUND_HALF_EVEN"
    HALF_ODD = "ROUND_HALF_ODD"
    HALF_UP = "ROUND_HALF_UP"
    HALF_DOWN = "ROUND_HALF_DOWN"
    HALF_CEILING = "ROUND_HALF_CEILING"
    HALF_FLOOR = "ROUND_HALF_FLOOR"
    UP = "ROUND_UP"
    DOWN = "ROUND_DOWN"
    CEILING = "ROUND_CEILING"
    FLOOR = "ROUND_FLOOR"


def exact(value: Fraction | Decimal | int) -> Fraction:
    """The value as a fraction, nothing lost.

    :raises TypeError: it is a float (or a truth value), which never meets money.
    :raises ValueError: it is NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, Fraction | Decimal | int):
        raise TypeError(f"{type(value).__name__} is not an exact number.")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{value} is not a number that can be counted.")
    return Fraction(value)


def round_to_int(
    value: Fraction | Decimal | int, rounding: Rounding | str = Rounding.HALF_EVEN
) -> int:
    """The whole number that `rounding` gives for `value`. UP and DOWN go from and to zero.

    :raises TypeError: the value is a float.
    :raises ValueError: there is no such rounding, or the value is not finite.
    """
    fraction = exact(value)
    mode = Rounding(rounding)
    floor = fraction.numerator // fraction.denominator
    rest = fraction - floor
    if rest == 0:
        return floor
    return floor + 1 if _goes_up(mode, floor=floor, rest=rest) else floor


def _goes_up(mode: Rounding, *, floor: int, rest: Fraction) -> bool:
    """Whether a value between `floor` and `floor + 1` goes to the upper one."""
    negative = floor < 0
    always = {
        Rounding.UP: not negative,
        Rounding.DOWN: negative,
        Rounding.CEILING: True,
        Rounding.FLOOR: False,
    }
    if mode in always:
        return always[mode]
    half = Fraction(1, 2)
    if rest != half:
        return rest > half
    on_tie = {
        Rounding.HALF_EVEN: floor % 2 == 1,
        Rounding.HALF_ODD: floor % 2 == 0,
        Rounding.HALF_UP: not negative,
        Rounding.HALF_DOWN: negative,
        Rounding.HALF_CEILING: True,
        Rounding.HALF_FLOOR: False,
    }
    return on_tie[mode]
