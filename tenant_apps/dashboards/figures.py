"""How facts become figures. Values in, a tally out.

A fact (a deal won, a payment verified, a commission accrued) counts once in every dimension it
has a subject in, and there once in each of four periods: its month, its quarter, its year, and
all time. A tally of many facts is the sum of what they change, so a thousand facts cost one write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

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


def quarter_of(day: date) -> str:
    return f"{day.year:04d}-Q{(day.month + 2) // 3}"


def year_of(day: date) -> str:
    return f"{day.year:04d}"


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


def periods_of(day: date) -> tuple[tuple[Grain, str], ...]:
    """Every period that a day counts in."""
    return (
        (Grain.ALL, "all"),
        (Grain.MONTH, month_of(day)),
        (Grain.QUARTER, quarter_of(day)),
        (Grain.YEAR, year_of(day)),
    )


def last_periods(*, day: date, grain: Grain, number: int) -> list[str]:
    """The names of the last `number` periods up to the one of `day`, the newest first.

    :raises ValueError: the grain does not follow the calendar.
    """
    if grain is Grain.ALL:
        raise ValueError("All time has no last periods.")
    months = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}[grain]
    names = []
    count = day.year * 12 + day.month - 1
    for _ in range(number):
        first = date(max(count // 12, 1), count % 12 + 1, 1)
        names.append(dict(periods_of(first))[grain])
        count -= months
    return names


def tally(facts: Iterable[Fact]) -> dict[Key, Change]:
    """What the facts change, row by row, in the order in which rows are locked."""
    changes: dict[Key, Change] = {}
    for fact in facts:
        subjects = {Dimension.ORGANIZATION: WHOLE, **fact.subjects}
        for grain, period in periods_of(fact.day):
            for dimension, subject in subjects.items():
                key = Key(dimension.value, grain.value, period, subject, fact.currency)
                change = changes.setdefault(key, Change())
                change.counts[fact.measure] += fact.times
                change.amounts[fact.measure] += fact.times * fact.amount_minor
    in_order = sorted(changes, key=lambda key: key.place)
    return {key: changes[key] for key in in_order if not changes[key].is_nothing}
