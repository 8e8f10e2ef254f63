"""Fiscal years and their quarters, which may begin on any day of the calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_MONTHS = 12
_MONTHS_OF_A_QUARTER = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalCalendar:
    """Fiscal years that begin on this day of this month (1 to 28, so that every year has it).

    A fiscal year is named by the calendar year that it ends in: one that begins in January is the
    calendar's own.
    """

    start_month: int = 1
    start_day: int = 1

    def year_of(self, day: date) -> int:
        """The fiscal year in which a day lies."""
        begun = (day.month, day.day) >= (self.start_month, self.start_day)
        return day.year + (0 if self._is_calendars else 1) - (0 if begun else 1)

    def quarter_of(self, day: date) -> int:
        """The quarter of its fiscal year, 1 to 4, in which a day lies."""
        return self._months_begun(day) // _MONTHS_OF_A_QUARTER + 1

    def first_day_of_year(self, year: int) -> date:
        """The day on which a fiscal year begins."""
        begins_in = year if self._is_calendars else year - 1
        return date(begins_in, self.start_month, self.start_day)

    def first_day_of_quarter(self, day: date) -> date:
        """The day on which the quarter of a day begins."""
        first = self.first_day_of_year(self.year_of(day))
        months = self._months_begun(day) // _MONTHS_OF_A_QUARTER * _MONTHS_OF_A_QUARTER
        years, month = divmod(first.month - 1 + months, _MONTHS)
        return first.replace(year=first.year + years, month=month + 1)

    def last_day_of_year(self, year: int) -> date:
        """The day on which a fiscal year ends."""
        return self.first_day_of_year(year + 1) - timedelta(days=1)

    @property
    def _is_calendars(self) -> bool:
        return (self.start_month, self.start_day) == (1, 1)

    def _months_begun(self, day: date) -> int:
        """How many months of its fiscal year are over on a day."""
        not_yet = 1 if day.day < self.start_day else 0
        return (day.month - self.start_month - not_yet) % _MONTHS
