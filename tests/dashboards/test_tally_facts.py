"""How facts become figures: worked examples and laws."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_apps.kernel.fiscal import FiscalCalendar
from tenant_apps.dashboards.figures import (
    Dimension,
    Fact,
    Grain,
    grain_of,
    is_period,
    last_periods,
    periods_of,
    tally,
    year_around,
)

CALENDAR = FiscalCalendar()
APRIL = FiscalCalendar(start_month=4, start_day=6)


def won(day: date, amount: int, *, agent: str = "anna", times: int = 1) -> Fact:
    return Fact(
        measure="won",
        day=day,
        amount_minor=amount,
        currency="KES",
        subjects={Dimension.AGENT: agent},
        times=times,
    )


def test_a_day_counts_in_its_month_quarter_and_year() -> None:
    assert [period for _, period in periods_of(date(2017, 5, 9), calendar=CALENDAR)] == [
        "all",
        "2017-05",
        "2017-Q2",
        "2017",
    ]


@pytest.mark.parametrize(
    ("day", "quarter"),
    [
        (date(2017, 1, 1), "2017-Q1"),
        (date(2017, 3, 31), "2017-Q1"),
        (date(2017, 4, 1), "2017-Q2"),
        (date(2017, 12, 31), "2017-Q4"),
    ],
)
def test_quarters_end_with_march_june_september_december(day: Any, quarter: Any) -> None:
    assert dict(periods_of(day, calendar=CALENDAR))[Grain.QUARTER] == quarter


def test_a_fact_counts_for_its_subject_and_for_the_organization() -> None:
    changes = tally([won(date(2017, 5, 9), 100), won(date(2017, 6, 9), 20)], calendar=CALENDAR)
    figures = {
        (key.dimension, key.period): (change.counts["won"], change.amounts["won"])
        for key, change in changes.items()
    }
    assert figures["agent", "all"] == (2, 120)
    assert figures["agent", "2017-05"] == (1, 100)
    assert figures["organization", "2017-Q2"] == (2, 120)


def test_what_stops_counting_leaves_nothing_behind() -> None:
    day = date(2017, 5, 9)
    changes = tally([won(day, 100, times=-1), won(day, 100, agent="boris")], calendar=CALENDAR)
    assert {key.subject for key in changes} == {"anna", "boris"}
    assert tally([won(day, 100), won(day, 100, times=-1)], calendar=CALENDAR) == {}


def test_the_organization_is_locked_first() -> None:
    changes = tally([won(date(2017, 5, 9), 100)], calendar=CALENDAR)
    dimensions = [key.dimension for key in changes]
    assert dimensions == ["organization"] * 4 + ["agent"] * 4


@pytest.mark.parametrize("text", ["all", "2017", "2017-Q1", "2017-12"])
def test_knows_the_names_of_periods(text: Any) -> None:
    assert is_period(text)


@pytest.mark.parametrize("text", ["", "2017-Q5", "2017-13", "2017-1", "17", "ALL", "2017-01-01"])
def test_refuses_what_names_no_period(text: Any) -> None:
    assert not is_period(text)
    with pytest.raises(ValueError):
        grain_of(text)


def test_last_quarters_cross_the_year() -> None:
    assert last_periods(day=date(2018, 2, 1), grain=Grain.QUARTER, number=3, calendar=CALENDAR) == [
        "2018-Q1",
        "2017-Q4",
        "2017-Q3",
    ]


def test_quarters_and_years_are_fiscal_and_months_are_not() -> None:
    assert periods_of(date(2017, 4, 5), calendar=APRIL)[1:] == (
        (Grain.MONTH, "2017-04"),
        (Grain.QUARTER, "2017-Q4"),
        (Grain.YEAR, "2017"),
    )
    assert periods_of(date(2017, 4, 6), calendar=APRIL)[1:] == (
        (Grain.MONTH, "2017-04"),
        (Grain.QUARTER, "2018-Q1"),
        (Grain.YEAR, "2018"),
    )


@pytest.mark.parametrize(
    ("grain", "names"),
    [
        (Grain.MONTH, ["2018-02", "2018-01", "2017-12"]),
        (Grain.QUARTER, ["2018-Q4", "2018-Q3", "2018-Q2"]),
        (Grain.YEAR, ["2018", "2017", "2016"]),
    ],
)
def test_last_periods_follow_the_fiscal_year(grain: Grain, names: list[str]) -> None:
    assert last_periods(day=date(2018, 2, 1), grain=grain, number=3, calendar=APRIL) == names


def test_all_time_has_no_last_periods() -> None:
    with pytest.raises(ValueError):
        last_periods(day=date(2018, 2, 1), grain=Grain.ALL, number=1, calendar=CALENDAR)


@pytest.mark.parametrize(
    ("period", "year"),
    [
        ("2017", "2017"),
        ("2017-Q3", "2017"),
        ("2017-04", "2017"),
        ("2017-05", "2018"),
        ("2017-12", "2018"),
        ("0000-12", "0002"),
    ],
)
def test_a_month_lies_in_the_fiscal_year_of_its_first_day(period: str, year: str) -> None:
    assert year_around(period, calendar=APRIL) == year


@given(
    st.lists(
        st.tuples(
            st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)),
            st.integers(min_value=0, max_value=10**9),
            st.sampled_from(["anna", "boris"]),
        ),
        max_size=20,
    ),
    st.sampled_from([CALENDAR, APRIL]),
)
def test_every_breakdown_sums_to_the_whole(rows: Any, calendar: FiscalCalendar) -> None:
    changes = tally(
        [won(day, amount, agent=agent) for day, amount, agent in rows], calendar=calendar
    )
    for dimension in ("organization", "agent"):
        for grain in Grain:
            parts = [
                change
                for key, change in changes.items()
                if (key.dimension, key.grain) == (dimension, grain)
            ]
            assert sum(part.amounts["won"] for part in parts) == sum(row[1] for row in rows)
            assert sum(part.counts["won"] for part in parts) == len(rows)
