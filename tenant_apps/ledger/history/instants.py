"""When: an effective day and a recorded instant, and where among the snapshots that is."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection

from shared_apps.kernel import clock
from tenant_apps.ledger.errors import InstantInFuture, InstantNotSettled

_RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A settled instant and the day it was recorded on.

    What takes effect after that day was posted early, if it was known then; what took effect
    before it, and was not known then, was posted late.
    """

    at: datetime
    day: date

    def is_before_all_of(self, as_of: date | None) -> bool:
        """Whether whatever is left out of `as_of` and was known then had been posted early."""
        return as_of is None or as_of >= self.day


def settled_until() -> datetime | None:
    """Until when answers about what was known never change again; None before any settlement."""
    return _settlement()[0]


def known(*, at: datetime) -> Known:
    """The instant, where it can be asked about.

    :raises InstantInFuture: it has not come yet.
    :raises InstantNotSettled: what was known then is not settled yet.
    """
    if at > clock.now():
        raise InstantInFuture
    until, offset = _settlement()
    if until is None or at > until:
        told = None if until is None else until.isoformat()
        raise InstantNotSettled(extra={"settled_until": told}, retry_after=_RETRY_SECONDS)
    return Known(at=at, day=(_utc(at) + timedelta(minutes=offset)).date())


def _settlement() -> tuple[datetime | None, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT settled_until, day_offset_minutes FROM ledger_settlement")
        row: tuple[datetime | None, int] | None = cursor.fetchone()
    return row or (None, 0)


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=None) - (at.utcoffset() or timedelta())
