"""The tax of an invoice, after EN 16931: values in, result and steps out.

The tax of an invoice is reckoned once for each pair of category and percent (BG-23): the net
amounts of its lines are summed (BT-116), and the percent of the sum is rounded once to the
currency's decimals, half to even (BT-117). Rounding each line would drift from what the norm's
rules BR-CO-14 and BR-S-09 check. A line's own tax is its share of its category's tax, by largest
remainder, so that lines always sum to totals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from shared_apps.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxableLine:
    """A line's net amount (zero or more) with its category and percent (16 means 16 %)."""

    net: Money
    category: str
    percent: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryTax:
    category: str
    percent: Decimal
    taxable: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTax:
    """`line_taxes` stand in the order of the lines; categories in that of their codes."""

    line_taxes: tuple[Money, ...]
    categories: tuple[CategoryTax, ...]
    net: Money
    tax: Money
    total: Money
    steps: tuple[str, ...]


def line_net(*, unit_price: Money, quantity: Decimal) -> Money:
    """A line's net amount: price times quantity, rounded half to even (BT-131)."""
    return unit_price.multiply(quantity)


def calculate_tax(*, lines: Sequence[TaxableLine], currency: str) -> InvoiceTax:
    """The tax of an invoice with these lines, all in one currency.

    :raises ValueError: a net amount or percent is below zero.
    :raises CurrencyMismatch: a line is in another currency.
    """
    if any(line.net.is_negative or line.percent < 0 for line in lines):
        raise ValueError("Net amounts and percents are zero or more.")
    groups: dict[tuple[str, Decimal], list[int]] = {}
    for index, line in enumerate(lines):
        groups.setdefault((line.category, line.percent), []).append(index)
    line_taxes = [Money.zero(currency)] * len(lines)
    categories: list[CategoryTax] = []
    steps: list[str] = []
    for (category, percent), indexes in sorted(groups.items()):
        taxable = Money.total((lines[index].net for index in indexes), currency=currency)
        tax = taxable.multiply(Fraction(percent) / 100)
        categories.append(CategoryTax(category=category, percent=percent, taxable=taxable, tax=tax))
        steps.append(f"{category} {percent.normalize():f} % of {taxable} is {tax}")
        if taxable.is_positive:
            shares = tax.split([lines[index].net.minor for index in indexes])
            for index, share in zip(indexes, shares, strict=True):
                line_taxes[index] = share
    net = Money.total((line.net for line in lines), currency=currency)
    tax_total = Money.total((category.tax for category in categories), currency=currency)
    return InvoiceTax(
        line_taxes=tuple(line_taxes),
        categories=tuple(categories),
        net=net,
        tax=tax_total,
        total=net + tax_total,
        steps=tuple(steps),
    )
