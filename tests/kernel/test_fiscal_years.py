"""Fiscal years: by hand, and for every start and day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.fiscal import FiscalCalendar

CALENDAR = FiscalCalendar()
JULY = FiscalCalendar(start_month=7, start_day=1)
BRITISH = FiscalCalendar(start_month=4, start_day=6)
SECOND_OF_JANUARY = FiscalCalendar(start_month=1, start_day=2)


@pytest.mark.parametrize(
    ("calendar", "day", "year", "quarter", "first_day"),
    [
        (CALENDAR, date(2026, 1, 1), 2026, 1, date(2026, 1, 1)),
        (CALENDAR, date(2026, 12, 31), 2026, 4, date(2026, 10, 1)),
        (JULY, date(2025, 6, 30), 2025, 4, date(2025, 4, 1)),
        (JULY, date(2025, 7, 1), 2026, 1, date(2025, 7, 1)),
        (JULY, date(2026, 1, 15), 2026, 3, date(2026, 1, 1)),
        (BRITISH, date(2026, 4, 5), 2026, 4, date(2026, 1, 6)),
        (BRITISH, date(2026, 4, 6), 2027, 1, date(2026, 4, 6)),
        (BRITISH, date(2026, 7, 5), 2027, 1, date(2026, 4, 6)),
        (BRITISH, date(2026, 7, 6), 2027, 2, date(2026, 7, 6)),
        (SECOND_OF_JANUARY, date(2026, 1, 1), 2026, 4, date(2025, 10, 2)),
        (SECOND_OF_JANUARY, date(2026, 1, 2), 2027, 1, date(2026, 1, 2)),
    ],
)
def test_examples(
    calendar: FiscalCalendar, day: date, year: int, quarter: int, first_day: date
) -> None:
    assert (calendar.year_of(day), calendar.quarter_of(day)) == (year, quarter)
    assert calendar.first_day_of_quarter(day) == first_day


calendars = st.builds(
    FiscalCalendar,
    start_month=st.integers(min_value=1, max_value=12),
    start_day=st.integers(min_value=1, max_value=28),
)
days = st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 12, 31))


@given(calendars, days)
def test_a_day_lies_in_its_year_which_is_named_by_its_end(
    calendar: FiscalCalendar, day: date
) -> None:
    year = calendar.year_of(day)
    assert calendar.first_day_of_year(year) <= day <= calendar.last_day_of_year(year)
    assert calendar.last_day_of_year(year).year == year


@given(calendars, days)
def test_quarters_follow_one_another_without_gap(calendar: FiscalCalendar, day: date) -> None:
    first = calendar.first_day_of_quarter(day)
    assert first <= day
    assert (calendar.year_of(first), calendar.quarter_of(first)) == (
        calendar.year_of(day),
        calendar.quarter_of(day),
    )
    before = first - timedelta(days=1)
    assert calendar.quarter_of(before) == (calendar.quarter_of(day) - 2) % 4 + 1
    tomorrow = day + timedelta(days=1)
    assert tomorrow == calendar.first_day_of_quarter(tomorrow) or (
        calendar.first_day_of_quarter(tomorrow) == first
    )
