"""The only clock of the house: everything that asks for the time asks here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

OffsetSource = Callable[[], timedelta]

_NO_OFFSET = timedelta(0)


def _no_offset() -> timedelta:
    return _NO_OFFSET


class FrozenClock:
    """A stopped clock that a test moves by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = _as_utc(at)

    def advance(self, **amount: float) -> datetime:
        """Move forward by the arguments of `timedelta`, e.g. `advance(days=1)`."""
        self.at += timedelta(**amount)
        return self.at

    def move_to(self, at: datetime) -> datetime:
        self.at = _as_utc(at)
        return self.at


# Process-wide on purpose: a test that freezes the clock freezes it for its threads too.
_frozen: FrozenClock | None = None
_offset_source: OffsetSource = _no_offset


def now() -> datetime:
    """The present moment, aware, in UTC."""
    base = datetime.now(UTC) if _frozen is None else _frozen.at
    return base + _offset_source()


def today(time_zone: str) -> date:
    """The calendar day that people in `time_zone` (an IANA name) are living in.

    :raises ZoneInfoNotFoundError: there is no such time zone.
    """
    return local_date(now(), time_zone)


def local_date(moment: datetime, time_zone: str) -> date:
    """The calendar day on which an aware `moment` falls in `time_zone`.

    :raises ValueError: the moment is naive.
    :raises ZoneInfoNotFoundError: there is no such time zone.
    """
    return _as_utc(moment).astimezone(ZoneInfo(time_zone)).date()


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first moment (UTC) of a calendar day as lived in `time_zone`."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))
    return midnight.astimezone(UTC)


def use_offset(source: OffsetSource) -> OffsetSource:
    """Add `source()` to every reading, so that an organization can live at a test time.

    Returns the former source, for whoever wants to put it back.
    """
    global _offset_source
    former, _offset_source = _offset_source, source
    return former


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Stop the clock at an aware moment. For tests."""
    global _frozen
    former, _frozen = _frozen, FrozenClock(at)
    try:
        yield _frozen
    finally:
        _frozen = former


def _as_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("A moment without a time zone says nothing.")
    return moment.astimezone(UTC)
