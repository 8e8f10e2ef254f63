"""Commission on collected money, net of tax. Values in, result and steps out.

A part of an invoice's money is a stretch of the whole: from what had been collected before it to
what is collected after it. Tax, percentage and rate are applied to both ends, and the commission
is the difference. So parts never lose a cent to rounding: as long as percentage and rate stay the
same, the commissions of all parts sum to the commission on the whole invoice.

    net(x)        = round(x * net / gross)             minor units of the invoice's currency
    commission(x) = round(net(x) * percent / 100 * rate)  minor units of the commission's currency
    commission of a part = commission(after) - commission(before)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from shared_apps.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """All that a commission follows from.

    `net` and `gross` are the invoice's totals without and with tax; `before` and `after` what of
    the gross had been collected; `percent` is 5 for five per cent; `rate` is how many major units
    of `currency` one major unit of the invoice's currency buys.
    """

    net: Money
    gross: Money
    before: Money
    after: Money
    percent: Decimal
    rate: Fraction
    currency: str

    def __post_init__(self) -> None:
        if not Money.zero(self.gross.currency) <= self.before < self.after <= self.gross:
            raise ValueError("The part does not lie within the invoice.")
        if not Money.zero(self.gross.currency) <= self.net <= self.gross:
            raise ValueError("The net does not lie within the invoice.")
        if self.percent < 0 or self.rate <= 0:
            raise ValueError("A percentage is not negative and a rate is above zero.")
        if self.currency == self.gross.currency and self.rate != 1:
            raise ValueError("Within one currency the rate is one.")

    @property
    def rate_text(self) -> str:
        """The rate, exactly: a fraction of two whole numbers."""
        return f"{self.rate.numerator}/{self.rate.denominator}"

    def to_json(self) -> dict[str, Any]:
        """A form to store, from which the very same basis can be read again."""
        return {
            "net": self.net.to_json(),
            "gross": self.gross.to_json(),
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "percent": str(self.percent),
            "rate": self.rate_text,
            "currency": self.currency,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        numerator, _, denominator = value["rate"].partition("/")
        return cls(
            net=_money(value["net"]),
            gross=_money(value["gross"]),
            before=_money(value["before"]),
            after=_money(value["after"]),
            percent=Decimal(value["percent"]),
            rate=Fraction(int(numerator), int(denominator)),
            currency=value["currency"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of the explanation: what was worked out, how, and what came of it."""

    name: str
    formula: str
    result: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "formula": self.formula, "result": self.result}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoning:
    """The net of the part (in the invoice's currency), the commission, and the way there."""

    net: Money
    commission: Money
    steps: tuple[Step, ...]


def reckon(basis: Basis) -> Reckoning:
    """The commission on one part of an invoice's money, half-even in minor units."""
    net_before, net_after = _net(basis, basis.before), _net(basis, basis.after)
    due_before, due_after = _due(basis, net_before), _due(basis, net_after)
    net, commission = net_after - net_before, due_after - due_before
    return Reckoning(net=net, commission=commission, steps=_steps(basis, net, commission))


def _net(basis: Basis, collected: Money) -> Money:
    return collected.multiply(Fraction(basis.net.minor, basis.gross.minor))


def _due(basis: Basis, net: Money) -> Money:
    share = Fraction(basis.percent) / 100
    return (
        net.convert(rate=share * basis.rate, currency=basis.currency)
        if share
        else (Money.zero(basis.currency))
    )


def _steps(basis: Basis, net: Money, commission: Money) -> tuple[Step, ...]:
    part = basis.after - basis.before
    steps = [
        Step(
            name="collected",
            formula=f"{basis.after} collected now, less {basis.before} collected before",
            result=str(part),
        ),
        Step(
            name="net of tax",
            formula=f"{part} x {basis.net.to_string()} / {basis.gross.to_string()}",
            result=str(net),
        ),
    ]
    percent = f"{basis.percent.normalize():f} %"
    if basis.currency == basis.gross.currency:
        formula = f"{net} x {percent}"
    else:
        formula = f"{net} x {percent} x {_rate_text(basis.rate)} {basis.currency} per " + (
            basis.gross.currency
        )
    steps.append(Step(name="commission", formula=formula, result=str(commission)))
    return tuple(steps)


def _rate_text(rate: Fraction) -> str:
    """The rate to ten significant digits; the stored basis keeps it exactly."""
    text = f"{Decimal(rate.numerator) / Decimal(rate.denominator):.10g}"
    return text if Fraction(text) == rate else f"about {text}"


def _money(value: Mapping[str, str]) -> Money:
    return Money.parse(value["amount"], value["currency"])
