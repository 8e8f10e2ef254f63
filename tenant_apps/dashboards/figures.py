"""How facts become figures. Values in, a tally out.

A fact (a deal won, a payment verified, a commission accrued) counts once in every dimension it
has a subject in, and there once in each of four periods: its month, its quarter, its year, and
all time. Months are the calendar's; quarters and years are fiscal, of the organization's own
calendar. A tally of many facts is the sum of what they change, so a thousand facts cost one write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from shared_apps.kernel.fiscal import FiscalCalendar

MEASURES = ("won", "collected", "commission")


class Dimension(StrEnum):
    """What figures are broken down by. The whole organization is one subject of its own."""

    ORGANIZATION = "organization"
    AGENT = "agent"
    CLIENT = "client"
    METHOD = "method"
    PRODUCT = "product"
    UNIT = "unit"


class Grain(StrEnum):
    ALL = "all"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


WHOLE = ""
_PERIOD = re.compile(r"all|[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?")
_GRAIN_BY_LENGTH = {3: Grain.ALL, 4: Grain.YEAR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that counts; `times` is -1 where it stops counting under these subjects."""

    measure: str
    day: date
    amount_minor: int
    currency: str
    subjects: Mapping[Dimension, str]
    times: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which row of the rollup."""

    dimension: str
    grain: str
    period: str
    subject: str
    currency: str

    @property
    def place(self) -> tuple[bool, Key]:
        """Where the row stands in the order of locking: everybody meets first at the
        organization's own row and queues there."""
        return self.dimension != Dimension.ORGANIZATION, self


@dataclass(slots=True)
class Change:
    """What the facts add to a row, per measure: how many, and minor units."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    amounts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))

    @property
    def is_nothing(self) -> bool:
        return not any(self.counts.values()) and not any(self.amounts.values())


def month_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def is_period(text: str) -> bool:
    """Whether the text names a period: all, 2017, 2017-Q1 or 2017-03."""
    return _PERIOD.fullmatch(text) is not None


def grain_of(period: str) -> Grain:
    """The grain of a period's name.

    :raises ValueError: it names no period.
    """
    if not is_period(period):
        raise ValueError(f"{period!r} is not a period.")
    if period[5:6] == "Q":
        return Grain.QUARTER
    return _GRAIN_BY_LENGTH.get(len(period), Grain.MONTH)


def periods_of(day: date, *, calendar: FiscalCalendar) -> tuple[tuple[Grain, str], ...]:
    """Every period that a day counts in."""
    year = f"{calendar.year_of(day):04d}"
    return (
        (Grain.ALL, "all"),
        (Grain.MONTH, month_of(day)),
        (Grain.QUARTER, f"{year}-Q{calendar.quarter_of(day)}"),
        (Grain.YEAR, year),
    )


def year_around(period: str, *, calendar: FiscalCalendar) -> str:
    """The fiscal year that a period is or lies in; of a month, that of its first day.

    :raises ValueError: it names no year, quarter or month.
    """
    grain = grain_of(period)
    if grain is Grain.ALL:
        raise ValueError("All time lies in no year.")
    if grain is not Grain.MONTH:
        return period[:4]
    # There was no year 0; who asks for a month of it is answered with nothing all the same.
    first = date(max(int(period[:4]), 1), int(period[5:]), 1)
    return dict(periods_of(first, calendar=calendar))[Grain.YEAR]


def last_periods(*, day: date, grain: Grain, number: int, calendar: FiscalCalendar) -> list[str]:
    """The names of the last `number` periods up to the one of `day`, the newest first.

    :raises ValueError: the grain is all time.
    """
    names = []
    for _ in range(number):
        names.append(dict(periods_of(day, calendar=calendar))[grain])
        day = _first_day(grain, day, calendar=calendar) - timedelta(days=1)
    return names


def _first_day(grain: Grain, day: date, *, calendar: FiscalCalendar) -> date:
    if grain is Grain.MONTH:
        return day.replace(day=1)
    if grain is Grain.QUARTER:
        return calendar.first_day_of_quarter(day)
    if grain is Grain.YEAR:
        return calendar.first_day_of_year(calendar.year_of(day))
    raise ValueError("All time has no last periods.")


def tally(facts: Iterable[Fact], *, calendar: FiscalCalendar) -> dict[Key, Change]:
    """What the facts change, row by row, in the order in which rows are locked."""
    changes: dict[Key, Change] = {}
    for fact in facts:
        subjects = {Dimension.ORGANIZATION: WHOLE, **fact.subjects}
        for grain, period in periods_of(fact.day, calendar=calendar):
            for dimension, subject in subjects.items():
                key = Key(dimension.value, grain.value, period, subject, fact.currency)
                change = changes.setdefault(key, Change())
                change.counts[fact.measure] += fact.times
                change.amounts[fact.measure] += fact.times * fact.amount_minor
    in_order = sorted(changes, key=lambda key: key.place)
    return {key: changes[key] for key in in_order if not changes[key].is_nothing}
