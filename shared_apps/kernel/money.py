"""Money: whole minor units of one currency. No float ever becomes an amount."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Self

from . import currencies
from .errors import BadInput, RuleRefused
from .rounding import Rounding, exact, round_to_int

# Columns are BIGINT. The lowest BIGINT is left out so that every amount can be negated.
MAX_MINOR = 2**63 - 1

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>0|[1-9][0-9]{0,18})(?:\.(?P<rest>[0-9]{1,4}))?")

Exact = Fraction | Decimal | int


class InvalidAmount(BadInput):
    """A text is not an amount in its currency, or the currency does not exist."""

    code = "invalid_amount"
    title = "This is not an amount."


class AmountOutOfRange(RuleRefused):
    """A calculation left the range that amounts are kept in (64 bits of minor units)."""

    code = "amount_out_of_range"
    title = "The amount is too large."


class CurrencyMismatch(RuleRefused):
    """Amounts in different currencies were added, subtracted or compared."""

    code = "currency_mismatch"
    title = "The currencies differ."


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (cents) of a currency.

    Equal only to the same amount in the same currency; ordered, added and subtracted
    within a currency.

    :raises InvalidAmount: there is no such currency.
    :raises AmountOutOfRange: the amount does not fit in 64 bits.
    :raises TypeError: the minor units are not a whole number.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if isinstance(self.minor, bool) or not isinstance(self.minor, int):
            raise TypeError(f"Minor units are whole numbers, not {type(self.minor).__name__}.")
        if not currencies.is_currency(self.currency):
            raise InvalidAmount(f"{self.currency!r} is not a currency.")
        if not -MAX_MINOR <= self.minor <= MAX_MINOR:
            raise AmountOutOfRange

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def parse(cls, amount: str, currency: str) -> Self:
        """Read a decimal text that has exactly the currency's decimals: ("1250.00", "KES").

        :raises InvalidAmount: it is no such text, too large, or the currency is unknown.
        """
        if not isinstance(currency, str) or not currencies.is_currency(currency):
            raise InvalidAmount(f"{str(currency)[:20]!r} is not a currency.")
        match = _AMOUNT.fullmatch(amount) if isinstance(amount, str) else None
        decimals = currencies.decimals(currency)
        if match is None or len(match["rest"] or "") != decimals:
            example = cls(1250 * 10**decimals, currency).to_string()
            raise InvalidAmount(f'An amount in {currency} is a text like "{example}".')
        minor = int(match["whole"] + (match["rest"] or ""))
        if minor > MAX_MINOR:
            raise InvalidAmount("The amount is too large.")
        return cls(-minor if match["sign"] else minor, currency)

    @classmethod
    def of_major(
        cls, value: Exact, currency: str, rounding: Rounding | str = Rounding.HALF_EVEN
    ) -> Self:
        """The amount nearest to an exact number of major units (12.345 KES is 12.34)."""
        scaled = exact(value) * 10 ** currencies.decimals(currency)
        return cls(round_to_int(scaled, rounding), currency)

    @classmethod
    def total(cls, amounts: Iterable["Money"], *, currency: str) -> Self:
        """The sum of amounts that are all in `currency`; zero for none.

        :raises CurrencyMismatch: one of them is in another currency.
        """
        minor = 0
        for amount in amounts:
            if amount.currency != currency:
                raise _mismatch(amount.currency, currency)
            minor += amount.minor
        return cls(minor, currency)

    def to_string(self) -> str:
        """The decimal text of the amount: "1250.00", "-0.05", "1250" for JPY."""
        decimals = currencies.decimals(self.currency)
        digits = str(abs(self.minor)).rjust(decimals + 1, "0")
        sign = "-" if self.minor < 0 else ""
        if decimals == 0:
            return sign + digits
        return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"

    def to_decimal(self) -> Decimal:
        """The amount in major units, exactly."""
        return Decimal(self.minor).scaleb(-currencies.decimals(self.currency))

    def to_json(self) -> dict[str, str]:
        """The form amounts have in the API."""
        return {"amount": self.to_string(), "currency": self.currency}

    def __str__(self) -> str:
        return f"{self.currency} {self.to_string()}"

    @property
    def is_zero(self) -> bool:
        return self.minor == 0

    @property
    def is_positive(self) -> bool:
        return self.minor > 0

    @property
    def is_negative(self) -> bool:
        return self.minor < 0

    def __bool__(self) -> bool:
        return self.minor != 0

    def __add__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor + self._minor_of(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        if not isinstance(other, Money):
            return NotImplemented
        return Money(self.minor - self._minor_of(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.minor, self.currency)

    def __abs__(self) -> "Money":
        return Money(abs(self.minor), self.currency)

    def __mul__(self, times: int) -> "Money":
        if isinstance(times, bool) or not isinstance(times, int):
            return NotImplemented
        return Money(self.minor * times, self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor < self._minor_of(other)

    def __le__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor <= self._minor_of(other)

    def __gt__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor > self._minor_of(other)

    def __ge__(self, other: "Money") -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        return self.minor >= self._minor_of(other)

    def multiply(self, factor: Exact, rounding: Rounding | str = Rounding.HALF_EVEN) -> "Money":
        """The amount times an exact factor, rounded once to whole minor units.

        :raises TypeError: the factor is a float.
        :raises AmountOutOfRange: the result does not fit.
        """
        return Money(round_to_int(self.minor * exact(factor), rounding), self.currency)

    def convert(
        self, *, rate: Exact, currency: str, rounding: Rounding | str = Rounding.HALF_EVEN
    ) -> "Money":
        """The amount in another currency; `rate` is how many of it one major unit buys.

        :raises ValueError: the rate is not above zero.
        """
        price = exact(rate)
        if price <= 0:
            raise ValueError("A rate is above zero.")
        scale = Fraction(10) ** (currencies.decimals(currency) - currencies.decimals(self.currency))
        return Money(round_to_int(self.minor * price * scale, rounding), currency)

    def split(self, shares: int | Sequence[Exact]) -> list["Money"]:
        """Parts in proportion to the weights (or that many equal parts) that sum to the amount.

        Largest remainder: each part is rounded down (toward minus infinity) and the minor
        units left over go one each to the largest remainders, the earlier part first on a
        tie. A weight of zero gets nothing.

        :raises ValueError: no part, a negative weight, or weights that are all zero.
        :raises TypeError: a weight is a float.
        """
        weights = [Fraction(1)] * shares if isinstance(shares, int) else [exact(w) for w in shares]
        whole = sum(weights, Fraction(0))
        if whole <= 0 or any(weight < 0 for weight in weights):
            raise ValueError("An amount is split by weights of zero and more, not all zero.")
        ideal = [self.minor * weight / whole for weight in weights]
        parts = [share.numerator // share.denominator for share in ideal]
        left_over = self.minor - sum(parts)
        by_remainder = sorted(range(len(ideal)), key=lambda i: (parts[i] - ideal[i], i))
        for index in by_remainder[:left_over]:
            parts[index] += 1
        return [Money(part, self.currency) for part in parts]

    def _minor_of(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise _mismatch(self.currency, other.currency)
        return other.minor


def _mismatch(one: str, other: str) -> CurrencyMismatch:
    return CurrencyMismatch(f"{one} and {other} cannot be reckoned together.")
