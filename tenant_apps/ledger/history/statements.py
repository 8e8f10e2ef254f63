"""An account's statement by effective day, as known at an instant, in pages.

The lines of a day stand in the order of their versions. A page is found by the days that have
movement: the lines that were recorded on the day itself stand in one range of versions, those that
were recorded on another day are listed by version, and what is not settled yet is read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from shared_apps.kernel.money import Money
from shared_apps.kernel.transactions import one_moment
from tenant_apps.ledger.models import Account, StatementLine

from . import sizes
from .balances import sums
from .instants import Known, known

_COLUMNS = (
    "transfer_id, stripe, version, side, amount_minor, currency, other_account_id, journal_id,"
    " effective_on, posted_at, kind, rule, source_type, source_id, memo"
)
_FIELDS = [name.strip() for name in _COLUMNS.split(",")]
_KNOWN = "coalesce(l.recorded_at, v.posted_at)"
_RECORDED_ON = f"(({_KNOWN} AT TIME ZONE 'UTC') + make_interval(mins => s.day_offset))::date"

_ASKED = (
    "(%(day)s::date IS NULL OR (v.effective_on, v.version, v.stripe) {beyond}"
    " (%(day)s, %(version)s, %(stripe)s))"
)

_DAYS = """
SELECT effective_on, sum(lines) FROM ledger_balanceday
 WHERE account_id = %(account)s AND effective_on BETWEEN %(low)s AND %(high)s
 GROUP BY effective_on ORDER BY effective_on {order} LIMIT %(limit)s
"""
_LINES = """
WITH stripes AS MATERIALIZED (
    SELECT b.account_id, b.stripe, b.direction, coalesce(p.version, 0) AS settled,
           CASE WHEN coalesce(p.version, 0) < %(deep)s THEN 0 ELSE p.version END AS low,
           (SELECT day_offset_minutes FROM ledger_settlement) AS day_offset,
           coalesce((SELECT u.version FROM ledger_balancesnapshot u
                      WHERE u.account_id = b.account_id AND u.stripe = b.stripe
                        AND u.recorded_at > %(at)s
                      ORDER BY u.recorded_at, u.version LIMIT 1), {most}) AS high
      FROM ledger_balance b
      LEFT JOIN ledger_settledposition p ON p.account_id = b.account_id AND p.stripe = b.stripe
     WHERE b.account_id = %(account)s
),
days AS MATERIALIZED (
    SELECT u.day, CASE WHEN u.day = %(day)s THEN %(version)s ELSE {furthest} END AS bound
      FROM unnest(%(days)s::date[]) AS u(day)
),
-- Recorded on the day on which they took effect.
prompt AS (
    SELECT s.direction, f.* FROM stripes s CROSS JOIN days
      JOIN ledger_balanceday d
        ON d.account_id = s.account_id AND d.stripe = s.stripe AND d.effective_on = days.day
     CROSS JOIN LATERAL (
           SELECT {columns} FROM ledger_statementline v
             LEFT JOIN ledger_latearrival l USING (transfer_id)
            WHERE v.account_id = s.account_id AND v.stripe = s.stripe
              -- What lies behind the snapshot after the instant was not known then.
              AND v.version BETWEEN d.first_version AND least(d.last_version, s.high)
              AND v.version {within} days.bound AND v.effective_on = days.day
              AND {recorded_on} = v.effective_on
              AND (%(at)s::timestamptz IS NULL OR {known} <= %(at)s) AND {asked}
            ORDER BY v.version {order} LIMIT %(limit)s) AS f
     WHERE s.low > 0
),
displaced AS (
    SELECT s.direction, f.* FROM stripes s CROSS JOIN days
     CROSS JOIN LATERAL (
           -- Each of them has a line at least; at either end of what is asked, one may have none.
           SELECT {columns} FROM (
               SELECT k.versions FROM ledger_balancedisplacement k
                WHERE k.account_id = s.account_id AND k.stripe = s.stripe
                  AND k.effective_on = days.day AND k.after_version < s.high
                  AND k.{edge} {within} days.bound
                ORDER BY k.after_version {order} LIMIT %(limit)s + 2) AS k
            CROSS JOIN LATERAL unnest(k.versions) AS i(version)
            CROSS JOIN LATERAL (
                  SELECT * FROM ledger_statementline v
                   WHERE v.account_id = s.account_id AND v.stripe = s.stripe
                     AND v.version = i.version) AS v
             LEFT JOIN ledger_latearrival l USING (transfer_id)
            WHERE v.version {within} days.bound
              AND (%(at)s::timestamptz IS NULL OR {known} <= %(at)s) AND {asked}
            ORDER BY i.version {order} LIMIT %(limit)s) AS f
     WHERE s.low > 0
),
-- Not settled yet, or of a balance so small that it has no snapshots.
others AS (
    SELECT s.direction, f.* FROM stripes s
     CROSS JOIN LATERAL (
           SELECT {columns} FROM ledger_statementline v
             LEFT JOIN ledger_latearrival l USING (transfer_id)
            WHERE v.account_id = s.account_id AND v.stripe = s.stripe AND v.version > s.low
              AND (%(at)s::timestamptz IS NULL
                   OR (v.version <= s.settled AND {known} <= %(at)s))
              AND v.effective_on BETWEEN %(low)s AND %(high)s AND {asked}
            ORDER BY v.effective_on {order}, v.version {order} LIMIT %(limit)s) AS f
)
SELECT * FROM (
    SELECT * FROM prompt UNION ALL SELECT * FROM displaced UNION ALL SELECT * FROM others
) AS line
ORDER BY effective_on {order}, version {order}, stripe {order}
LIMIT %(limit)s
"""
_MOST = 2**63 - 1
_YEAR = 366
_PIECES = {
    "most": _MOST,
    "columns": ", ".join(f"v.{name}" for name in _FIELDS),
    "known": _KNOWN,
    "recorded_on": _RECORDED_ON,
}
_DOWN = _LINES.format(
    order="DESC",
    within="<=",
    asked=_ASKED.format(beyond="<"),
    edge="after_version",
    furthest=_MOST,
    **_PIECES,
)
_UP = _LINES.format(
    order="ASC",
    within=">=",
    asked=_ASKED.format(beyond=">"),
    edge="versions[cardinality(k.versions)]",
    furthest=0,
    **_PIECES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Between two lines: beside the line that is named, and the balance there (minor units).

    `before` is what the account held at the end of the day before. Where it has changed since,
    something was backdated meanwhile, and the balance moves with it.
    """

    day: date
    version: int
    stripe: int
    balance: int
    before: int
    upwards: bool

    def values(self) -> list[Any]:
        """What a cursor keeps of it."""
        return [
            value.isoformat() if isinstance(value, date) else value
            for value in (getattr(self, field.name) for field in fields(self))
        ]

    @classmethod
    def of(cls, values: list[Any]) -> "Place":
        """:raises ValueError: these are not the values of a place."""
        day, version, stripe, balance, before, upwards = values
        return cls(
            day=date.fromisoformat(day),
            version=int(version),
            stripe=int(stripe),
            balance=int(balance),
            before=int(before),
            upwards=bool(upwards),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """Some lines, newest first, each with the balance after it; and what the statement spans."""

    opening: Money
    closing: Money
    lines: list[StatementLine]
    newer: Place | None
    older: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is asked: an account's lines that took effect in a range of days, as known then."""

    account_id: UUID
    currency: str
    first_day: date | None = None
    last_day: date | None = None
    known_at: datetime | None = None

    def page(self, *, size: int, place: Place | None = None) -> StatementPage:
        """So many lines, from the newest or from a place.

        :raises InstantInFuture: `known_at` has not come yet.
        :raises InstantNotSettled: what was known then is not settled yet.
        """
        with one_moment():
            moment = None if self.known_at is None else known(at=self.known_at)
            opening = self._opening(moment)
            closing = self._held(self.last_day, moment)
            upwards = place is not None and place.upwards
            rows = list(self._rows(size=size + 1, place=place, moment=moment))
            more = len(rows) > size
            rows = rows[:size]
            start = closing if place is None else self._moved(place, moment)
            lines = _with_balances(self.account_id, rows, start=start, upwards=upwards)
            has_newer = more if upwards else place is not None
            has_older = True if upwards else more
            return StatementPage(
                opening=Money(opening, self.currency),
                closing=Money(closing, self.currency),
                lines=lines,
                newer=self._beside(lines[0], moment, newer=True) if lines and has_newer else None,
                older=self._beside(lines[-1], moment, newer=False) if lines and has_older else None,
            )

    def _held(self, day: date | None, moment: Known | None) -> int:
        # What waits to be counted is no line yet, so the lines add up without it.
        found = sums(accounts=[self.account_id], as_of=day, moment=moment, waiting=False)
        return found.get(self.account_id, 0)

    def _opening(self, moment: Known | None) -> int:
        if self.first_day is None:
            return 0
        return self._held(_day_before(self.first_day), moment)

    def _moved(self, place: Place, moment: Known | None) -> int:
        return place.balance + self._held(_day_before(place.day), moment) - place.before

    def _beside(self, line: StatementLine, moment: Known | None, *, newer: bool) -> Place:
        return Place(
            day=line.effective_on,
            version=line.version,
            stripe=line.stripe,
            balance=line.balance_minor if newer else line.balance_minor - line.change,
            before=self._held(_day_before(line.effective_on), moment),
            upwards=newer,
        )

    def _rows(
        self, *, size: int, place: Place | None, moment: Known | None
    ) -> Iterator[tuple[Any, ...]]:
        """Lines in the direction of the place, over as many days as it takes."""
        upwards = place is not None and place.upwards
        low = self.first_day or date.min
        high = self.last_day or date.max
        if place is not None:
            low, high = (place.day, high) if upwards else (low, place.day)
        found, further = 0, 0
        while found < size and low <= high:
            wanted = size - found + further
            days, is_last = self._days(low, high, wanted, moment, upwards=upwards)
            edge = (high if upwards else low) if is_last else days[-1]
            span = (low, edge) if upwards else (edge, high)
            rows = self._lines(days, span, size - found, place, moment, upwards=upwards)
            found += len(rows)
            yield from rows
            if is_last:
                return
            step = timedelta(days=1 if upwards else -1)
            low, high = (edge + step, high) if upwards else (low, edge + step)
            # What was not known then fills many days: look further with each round.
            further = 2 * further + size

    def _days(
        self, low: date, high: date, wanted: int, moment: Known | None, *, upwards: bool
    ) -> tuple[list[date], bool]:
        """The next days with settled movement that have so many lines, and whether they are all."""
        # Days after the instant have few lines that were known: they come along, and do not count.
        # The first day does not count either, for part of it may have been shown before.
        limit = wanted + 1 if moment is None else wanted + _YEAR
        with connection.cursor() as cursor:
            cursor.execute(
                _DAYS.format(order="ASC" if upwards else "DESC"),
                {"account": self.account_id, "low": low, "high": high, "limit": limit},
            )
            rows = cursor.fetchall()
        days, lines = [], 0
        for number, (day, count) in enumerate(rows):
            days.append(day)
            if number and (moment is None or day <= moment.day):
                lines += int(count)
            if lines >= wanted:
                return days, False
        return days, len(rows) < limit

    def _lines(
        self,
        days: list[date],
        span: tuple[date, date],
        size: int,
        place: Place | None,
        moment: Known | None,
        *,
        upwards: bool,
    ) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(
                _UP if upwards else _DOWN,
                {
                    "account": self.account_id,
                    "days": days,
                    "low": span[0],
                    "high": span[1],
                    "limit": size,
                    "at": None if moment is None else moment.at,
                    "deep": sizes.DEEP,
                    "day": place.day if place else None,
                    "version": place.version if place else None,
                    "stripe": place.stripe if place else None,
                },
            )
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _with_balances(
    account_id: UUID, rows: list[tuple[Any, ...]], *, start: int, upwards: bool
) -> list[StatementLine]:
    """Rows in the direction that they were read in, as lines from the newest to the oldest."""
    names = {row[1 + _FIELDS.index("other_account_id")] for row in rows}
    others = Account.objects.in_bulk(names)
    lines, balance = [], start
    for direction, *values in rows:
        line = StatementLine(account_id=account_id, **dict(zip(_FIELDS, values, strict=True)))
        line.other_account = others[line.other_account_id]
        line.change = direction * (
            line.amount_minor if line.side == "debit" else -line.amount_minor
        )
        if upwards:
            balance += line.change
            line.balance_minor = balance
        else:
            line.balance_minor = balance
            balance -= line.change
        lines.append(line)
    return lines[::-1] if upwards else lines


def _day_before(day: date) -> date:
    return day if day == date.min else day - timedelta(days=1)
