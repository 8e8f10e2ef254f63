"""Tax of an invoice: worked examples with numbers, and what always holds."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.money import CurrencyMismatch, Money
from tenant_apps.invoices.tax import TaxableLine, calculate_tax, line_net


def line(
    net: str, *, category: str = "S", percent: str = "16", currency: str = "KES"
) -> TaxableLine:
    return TaxableLine(net=Money.parse(net, currency), category=category, percent=Decimal(percent))


def texts(amounts: object) -> list[str]:
    return [amount.to_string() for amount in amounts]  # type: ignore[attr-defined]


def test_one_line_at_16_percent() -> None:
    result = calculate_tax(lines=[line("1250.00")], currency="KES")

    assert texts([result.net, result.tax, result.total]) == ["1250.00", "200.00", "1450.00"]
    assert result.steps == ("S 16 % of KES 1250.00 is KES 200.00",)


def test_no_tax_outside_the_scope() -> None:
    result = calculate_tax(lines=[line("1054.00", category="O", percent="0")], currency="KES")

    assert texts([result.net, result.tax, result.total]) == ["1054.00", "0.00", "1054.00"]


def test_is_rounded_once_for_each_category_and_not_for_each_line() -> None:
    # 16 % of 0.03 is 0.0048: line by line it would vanish, three of them are 0.0144 -> 0.01.
    result = calculate_tax(lines=[line("0.03")] * 3, currency="KES")

    assert result.tax.to_string() == "0.01"
    assert texts(result.line_taxes) == ["0.01", "0.00", "0.00"]


@pytest.mark.parametrize(
    ("net", "tax"),
    [("0.50", "0.02"), ("1.50", "0.08"), ("0.51", "0.03"), ("0.49", "0.02")],
)
def test_a_tie_goes_to_the_even_cent(net: str, tax: str) -> None:
    # 5 % of 0.50 is 0.025, of 1.50 is 0.075.
    result = calculate_tax(lines=[line(net, percent="5")], currency="KES")

    assert result.tax.to_string() == tax


def test_several_categories_stand_apart() -> None:
    result = calculate_tax(
        lines=[
            line("100.00", percent="16"),
            line("50.00", percent="8"),
            line("200.00", category="Z", percent="0"),
            line("33.33", percent="16"),
        ],
        currency="KES",
    )

    assert [
        (c.category, str(c.percent), c.taxable.to_string(), c.tax.to_string())
        for c in result.categories
    ] == [
        ("S", "8", "50.00", "4.00"),
        ("S", "16", "133.33", "21.33"),
        ("Z", "0", "200.00", "0.00"),
    ]
    assert texts(result.line_taxes) == ["16.00", "4.00", "0.00", "5.33"]
    assert result.total.to_string() == "408.66"


def test_keeps_to_the_currencys_decimals() -> None:
    result = calculate_tax(lines=[line("999", percent="7.7", currency="JPY")], currency="JPY")

    assert result.tax.to_string() == "77"


def test_a_line_is_price_times_quantity_rounded_once() -> None:
    net = line_net(unit_price=Money.parse("0.33", "KES"), quantity=Decimal("2.5"))

    assert net.to_string() == "0.82"


def test_refuses_another_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        calculate_tax(lines=[line("1.00"), line("1.00", currency="USD")], currency="KES")


@pytest.mark.parametrize("net", ["-0.01", "-100.00"])
def test_refuses_an_amount_below_zero(net: str) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        calculate_tax(lines=[line(net)], currency="KES")


CATEGORIES = st.one_of(
    st.tuples(st.just("S"), st.decimals(min_value="0.001", max_value="100", places=3)),
    st.tuples(st.sampled_from(["Z", "E", "O", "AE"]), st.just(Decimal(0))),
)
LINES = st.lists(
    st.builds(
        lambda minor, category: TaxableLine(
            net=Money(minor, "KES"), category=category[0], percent=category[1]
        ),
        st.integers(min_value=0, max_value=10**13),
        CATEGORIES,
    ),
    min_size=1,
    max_size=12,
)


@given(LINES)
def test_lines_always_sum_to_totals(lines: list[TaxableLine]) -> None:
    result = calculate_tax(lines=lines, currency="KES")

    assert Money.total(result.line_taxes, currency="KES") == result.tax
    assert Money.total((c.tax for c in result.categories), currency="KES") == result.tax
    assert Money.total((c.taxable for c in result.categories), currency="KES") == result.net
    assert result.net + result.tax == result.total


@given(LINES)
def test_no_line_has_tax_that_is_not_its_own(lines: list[TaxableLine]) -> None:
    result = calculate_tax(lines=lines, currency="KES")

    for taxed, tax in zip(lines, result.line_taxes, strict=True):
        exact = Decimal(taxed.net.minor) * taxed.percent / 100
        assert tax.minor >= 0
        # Within one cent for the split and half a cent for the rounding of the whole.
        assert abs(Decimal(tax.minor) - exact) < Decimal("1.5")
        if taxed.percent == 0 or taxed.net.is_zero:
            assert tax.is_zero


@given(LINES, st.randoms())
def test_the_order_of_lines_does_not_change_totals(lines: list[TaxableLine], dice: object) -> None:
    shuffled = list(lines)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]

    one = calculate_tax(lines=lines, currency="KES")
    other = calculate_tax(lines=shuffled, currency="KES")

    assert (one.categories, one.total) == (other.categories, other.total)
