"""The only clock."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfoNotFoundError

import pytest

from shared_apps.kernel import clock

NEW_YEAR = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)


@pytest.fixture
def two_days_ahead() -> Iterator[None]:
    former = clock.use_offset(lambda: timedelta(days=2))
    yield
    clock.use_offset(former)


def test_is_aware_and_in_utc() -> None:
    assert clock.now().utcoffset() == timedelta(0)
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_lives_the_day_of_the_place() -> None:
    with clock.frozen(NEW_YEAR):
        assert clock.today("Africa/Nairobi") == date(2026, 1, 1)
        assert clock.today("America/New_York") == date(2025, 12, 31)
        assert clock.today("UTC") == date(2026, 1, 1)


def test_starts_a_day_when_the_place_does() -> None:
    assert clock.start_of_day(date(2026, 1, 1), "Africa/Nairobi") == datetime(
        2025, 12, 31, 21, tzinfo=UTC
    )
    # Summer time begins at midnight in Beirut: the day's first moment is 01:00 there.
    assert clock.local_date(
        clock.start_of_day(date(2024, 3, 31), "Asia/Beirut"), "Asia/Beirut"
    ) == date(2024, 3, 31)


def test_stands_still_and_moves_by_hand() -> None:
    with clock.frozen(NEW_YEAR) as stopped:
        assert clock.now() == clock.now() == NEW_YEAR
        stopped.advance(hours=1)
        assert clock.now() == NEW_YEAR + timedelta(hours=1)
        stopped.move_to(NEW_YEAR)
        assert clock.now() == NEW_YEAR
    assert clock.now() > NEW_YEAR


def test_stands_still_for_other_threads_too() -> None:
    seen: list[datetime] = []
    with clock.frozen(NEW_YEAR):
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
    assert seen == [NEW_YEAR]


def test_goes_on_after_an_inner_stop() -> None:
    later = NEW_YEAR + timedelta(days=1)
    with clock.frozen(NEW_YEAR):
        with clock.frozen(later):
            assert clock.now() == later
        assert clock.now() == NEW_YEAR


def test_reads_any_zone_as_utc() -> None:
    east = NEW_YEAR.astimezone(timezone(timedelta(hours=3)))
    with clock.frozen(east):
        assert clock.now() == NEW_YEAR
        assert clock.now().utcoffset() == timedelta(0)


@pytest.mark.usefixtures("two_days_ahead")
def test_adds_the_offset_of_a_test_time() -> None:
    with clock.frozen(NEW_YEAR):
        assert clock.now() == NEW_YEAR + timedelta(days=2)


def test_refuses_a_moment_without_zone() -> None:
    naive = NEW_YEAR.replace(tzinfo=None)
    with pytest.raises(ValueError), clock.frozen(naive):
        pass
    with pytest.raises(ValueError):
        clock.local_date(naive, "UTC")


def test_refuses_a_zone_that_does_not_exist() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        clock.today("Mars/Olympus")
