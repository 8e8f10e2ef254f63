"""How facts become figures: worked examples and laws."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenant_apps.dashboards.figures import (
    Dimension,
    Fact,
    Grain,
    grain_of,
    is_period,
    last_periods,
    periods_of,
    tally,
)


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
    assert [period for _, period in periods_of(date(2017, 5, 9))] == [
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
    assert dict(periods_of(day))[Grain.QUARTER] == quarter


def test_a_fact_counts_for_its_subject_and_for_the_organization() -> None:
    changes = tally([won(date(2017, 5, 9), 100), won(date(2017, 6, 9), 20)])
    figures = {
        (key.dimension, key.period): (change.counts["won"], change.amounts["won"])
        for key, change in changes.items()
    }
    assert figures["agent", "all"] == (2, 120)
    assert figures["agent", "2017-05"] == (1, 100)
    assert figures["organization", "2017-Q2"] == (2, 120)


def test_what_stops_counting_leaves_nothing_behind() -> None:
    day = date(2017, 5, 9)
    changes = tally([won(day, 100, times=-1), won(day, 100, agent="boris")])
    assert {key.subject for key in changes} == {"anna", "boris"}
    assert tally([won(day, 100), won(day, 100, times=-1)]) == {}


def test_the_organization_is_locked_first() -> None:
    changes = tally([won(date(2017, 5, 9), 100)])
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
    assert last_periods(day=date(2018, 2, 1), grain=Grain.QUARTER, number=3) == [
        "2018-Q1",
        "2017-Q4",
        "2017-Q3",
    ]


@given(
    st.lists(
        st.tuples(
            st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)),
            st.integers(min_value=0, max_value=10**9),
            st.sampled_from(["anna", "boris"]),
        ),
        max_size=20,
    )
)
def test_every_breakdown_sums_to_the_whole(rows: Any) -> None:
    changes = tally([won(day, amount, agent=agent) for day, amount, agent in rows])
    for dimension in ("organization", "agent"):
        for grain in Grain:
            parts = [
                change
                for key, change in changes.items()
                if (key.dimension, key.grain) == (dimension, grain)
            ]
            assert sum(part.amounts["won"] for part in parts) == sum(row[1] for row in rows)
            assert sum(part.counts["won"] for part in parts) == len(rows)
