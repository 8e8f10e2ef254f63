"""Reading an amount from text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel import currencies
from shared_apps.kernel.money import MAX_MINOR, AmountOutOfRange, InvalidAmount, Money

amounts = st.builds(
    Money,
    st.integers(min_value=-MAX_MINOR, max_value=MAX_MINOR),
    st.sampled_from(sorted(currencies.CODES)),
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1250.00", "KES", 125_000),
        ("0.05", "KES", 5),
        ("-0.05", "KES", -5),
        ("-0.00", "KES", 0),
        ("1250", "JPY", 1250),
        ("0.007", "KWD", 7),
        ("1.0000", "CLF", 10_000),
        ("92233720368547758.07", "KES", MAX_MINOR),
    ],
)
def test_takes_exactly_the_decimals_of_the_currency(text: str, currency: str, minor: int) -> None:
    assert Money.parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "text",
    [
        "1250", "1250.0", "1250.000", "1,250.00", "1250,00", "1.25e3", "1E2", "NaN", "Infinity",
        "", " 1.00", "1.00 ", "1.00\n", "+1.00", "--1.00", ".50", "01.00", "1.", "0x1.00", "1_0.00",
        "\u0663.\u0660\u0660", "\uff11.\uff10\uff10", "1.00\x00",
    ],
)  # fmt: skip
def test_refuses_every_other_spelling(text: str) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(text, "KES")


@pytest.mark.parametrize("text", ["92233720368547758.08", "9" * 18 + ".00", "9" * 5000 + ".00"])
def test_refuses_more_than_a_column_holds(text: str) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(text, "KES")


@pytest.mark.parametrize("value", [1250, 12.5, None, b"1.00", ["1.00"]])
def test_refuses_what_is_not_text(value: object) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse(value, "KES")  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["kes", "KE", "XXX", "XAU", "", "KES\n", None, 404])
def test_refuses_what_is_not_a_currency(currency: object) -> None:
    with pytest.raises(InvalidAmount):
        Money.parse("1.00", currency)  # type: ignore[arg-type]


@given(amounts)
def test_reads_back_whatever_it_wrote(money: Money) -> None:
    assert Money.parse(money.to_string(), money.currency) == money


@given(amounts)
def test_writes_the_same_number_as_decimal_does(money: Money) -> None:
    assert money.to_string() == f"{money.to_decimal():f}"


@given(st.text(max_size=30))
def test_refuses_or_reads_any_text_but_never_breaks(text: str) -> None:
    try:
        money = Money.parse(text, "KES")
    except InvalidAmount:
        return
    assert money.to_string() == text or money.is_zero


def test_an_amount_beyond_64_bits_is_no_amount() -> None:
    for minor in (MAX_MINOR + 1, -MAX_MINOR - 1):
        with pytest.raises(AmountOutOfRange):
            Money(minor, "KES")


@pytest.mark.parametrize("minor", [1.0, "1", True, None])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "KES")  # type: ignore[arg-type]
