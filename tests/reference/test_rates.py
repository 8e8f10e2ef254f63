"""Dated rates: loaded from the bank's table, looked up exactly, never invented."""

import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from shared_apps.kernel.currencies import CODES
from shared_apps.reference.errors import NoRate, UnreadableRates
from shared_apps.reference.models import Currency, ExchangeRate
from shared_apps.reference.selectors import currencies_offered, rate_on, rates_on
from shared_apps.reference.services import load_rates

TABLE = """Date,USD,JPY,CYP,
2024-03-28,1.0811,163.45,N/A,
2024-03-27,1.0816,163.52,0.58,
"""
MAUNDY_THURSDAY, EASTER_SUNDAY = date(2024, 3, 28), date(2024, 3, 31)


def load(text: str = TABLE) -> Any:
    return load_rates(lines=io.StringIO(text), source="ECB")


def test_one_euro_buys_what_the_table_says(platform: None) -> None:
    loaded = load()
    assert (loaded.days, loaded.added, loaded.known, loaded.differing) == (2, 5, 0, 0)
    assert rate_on(day=MAUNDY_THURSDAY, base="EUR", quote="USD") == Fraction("1.0811")
    assert rate_on(day=MAUNDY_THURSDAY, base="USD", quote="EUR") == 1 / Fraction("1.0811")


def test_two_others_are_reckoned_through_the_euro(platform: None) -> None:
    load()
    rate = rate_on(day=MAUNDY_THURSDAY, base="USD", quote="JPY")
    assert rate == Fraction("163.45") / Fraction("1.0811")


def test_a_holiday_has_the_last_rate_before(platform: None) -> None:
    load()
    assert rate_on(day=EASTER_SUNDAY, base="EUR", quote="USD") == Fraction("1.0811")
    # The Cypriot pound was not published on Thursday: both are taken from Wednesday.
    rate = rate_on(day=EASTER_SUNDAY, base="CYP", quote="USD")
    assert rate == Fraction("1.0816") / Fraction("0.58")


def test_there_is_none_a_week_later_or_for_what_is_not_published(platform: None) -> None:
    load()
    assert rate_on(day=date(2024, 4, 4), base="EUR", quote="USD") == Fraction("1.0811")
    for day, base, quote in (
        (date(2024, 4, 5), "EUR", "USD"),
        (date(2024, 3, 26), "EUR", "USD"),
        (MAUNDY_THURSDAY, "EUR", "KES"),
        (MAUNDY_THURSDAY, "XXX", "XXX"),
    ):
        with pytest.raises(NoRate):
            rate_on(day=day, base=base, quote=quote)


def test_a_currency_buys_itself_at_one(platform: None) -> None:
    assert rate_on(day=date(1900, 1, 1), base="KES", quote="KES") == 1


def test_many_rates_are_one_statement(tenant: Any, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(3):  # the platform's path and role, and the question
        with pytest.raises(NoRate):
            rates_on(wanted={(date(2024, 3, day), "EUR", "USD") for day in range(1, 28)})


def test_loading_again_adds_nothing_and_changes_nothing(platform: None) -> None:
    load()
    again = load()
    assert (again.added, again.known, again.differing) == (0, 5, 0)
    other = load(TABLE.replace("163.45", "200"))
    assert (other.added, other.known, other.differing) == (0, 4, 1)
    assert rate_on(day=MAUNDY_THURSDAY, base="EUR", quote="JPY") == Fraction("163.45")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1"),
        ("Day,USD\n", "line 1"),
        ("Date,Dollar\n", "line 1"),
        ("Date,USD,USD\n", "line 1"),
        ("Date,USD\n2024-13-01,1.1\n", "line 2"),
        ("Date,USD\n2024-03-01,1.1\n2024-03-04,abc\n", "line 3"),
        ("Date,USD\n2024-03-01,-1.1\n", "line 2"),
        ("Date,USD\n2024-03-01,0\n", "line 2"),
        ("Date,USD\n2024-03-01,NaN\n", "line 2"),
        ("Date,USD\n2024-03-01,1e12\n", "line 2"),
        ("Date,USD\n2024-03-01,1.12345678901\n", "line 2"),
        ("Date,USD,JPY\n2024-03-01,1.1\n", "line 2"),
        ("Date,USD\n2024-03-01,1.1\n2024-03-01,1.2\n", "twice"),
    ],
)
def test_a_table_with_a_wrong_line_loads_nothing(platform: None, text: str, says: str) -> None:
    with pytest.raises(UnreadableRates, match=says):
        load(text)
    assert not ExchangeRate.objects.exists()


def test_the_command_reads_a_file(platform: None, tmp_path: Path) -> None:
    table = tmp_path / "rates.csv"
    table.write_text(TABLE)
    out = io.StringIO()
    call_command("load_exchange_rates", str(table), stdout=out)
    assert out.getvalue().startswith("2 days: 5 rates added")
    table.write_text(TABLE + "2024-03-26,oops,1,1,\n")
    with pytest.raises(CommandError, match="line 4"):
        call_command("load_exchange_rates", str(table), stdout=out)
    with pytest.raises(CommandError, match="cannot read"):
        call_command("load_exchange_rates", str(tmp_path / "none.csv"), stdout=out)


def test_every_currency_of_the_kernel_is_offered(tenant: Any) -> None:
    assert set(currencies_offered()) == CODES


def test_an_organization_reads_rates_and_cannot_see_their_table(tenant: Any) -> None:
    from django.db import ProgrammingError, transaction

    with pytest.raises(ProgrammingError), transaction.atomic():
        ExchangeRate.objects.exists()
    with pytest.raises(NoRate):
        rate_on(day=MAUNDY_THURSDAY, base="EUR", quote="USD")


@pytest.fixture
def expected(trial_data: Path) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((trial_data / "data/fx/expected.json").read_text())
    return answers


def _rows(table: Path, days: set[str]) -> Iterator[str]:
    """The header and the rows of some days."""
    with table.open(encoding="utf-8-sig", newline="") as lines:
        yield next(lines)
        yield from (line for line in lines if line[:10] in days)


def _table(trial_data: Path) -> Path:
    (table,) = (trial_data / "data/fx").glob("*.csv")
    return table


def test_published_conversions_come_out_to_the_last_digit(
    platform: None, trial_data: Path, expected: dict[str, Any]
) -> None:
    days = {sample["date"] for sample in expected["samples"]}
    load_rates(lines=_rows(_table(trial_data), days), source="ECB")
    for sample in expected["samples"]:
        rate = rate_on(
            day=date.fromisoformat(sample["date"]), base=sample["from_"], quote=sample["to"]
        )
        exact = Fraction(sample["amount"]) * rate
        digits = Decimal(sample["exact"])
        last_place = Decimal(1).scaleb(int(digits.as_tuple().exponent))
        assert abs(exact - Fraction(digits)) <= Fraction(last_place)
        cents = Decimal(exact.numerator) / Decimal(exact.denominator)
        rounded = cents.quantize(Decimal("0.01"), ROUND_HALF_UP)
        assert str(rounded) == sample["rounded_2dp_half_up"]
    assert Currency.objects.exists()


@pytest.mark.slow
def test_the_whole_history_loads(
    platform: None, trial_data: Path, expected: dict[str, Any]
) -> None:
    with _table(trial_data).open(encoding="utf-8-sig", newline="") as lines:
        loaded = load_rates(lines=lines, source="ECB")
    assert loaded.days == expected["days"]
    days = ExchangeRate.objects.values_list("day", flat=True)
    assert (days.first(), days.last()) == (
        date.fromisoformat(expected["last"]),
        date.fromisoformat(expected["first"]),
    )
    currencies = ExchangeRate.objects.values("quote").distinct().count()
    assert currencies == expected["currencies"]
    for day in expected["first_day_without_a_rate_after"]:
        assert not ExchangeRate.objects.filter(day=day).exists()
        assert rate_on(day=date.fromisoformat(day), base="EUR", quote="USD") > 0
