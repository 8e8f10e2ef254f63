"""Gapless numbers: one row for each series and year, raised where the invoices are inserted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from django.db import connection

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.operations import step
from tenant_apps.invoices.models import InvoiceSeries


@step
def take_numbers(*, actor: Actor, series: InvoiceSeries, days: Sequence[date]) -> list[int]:
    """The sequence number of each invoice, in the order of `days`; within a year by day.

    The counters stay locked until the transaction ends: whoever comes meanwhile waits, and a
    rollback gives the numbers back. One statement, years in order, so that two batches that
    touch several years queue instead of blocking each other.
    """
    wanted = Counter(day.year for day in days)
    years = sorted(wanted)
    last = dict(zip(years, _raise(actor, series, years, wanted), strict=True))
    next_number = {year: last[year] - wanted[year] + 1 for year in years}
    numbers = [0] * len(days)
    for index in sorted(range(len(days)), key=lambda place: (days[place], place)):
        year = days[index].year
        numbers[index] = next_number[year]
        next_number[year] += 1
    return numbers


def _raise(
    actor: Actor, series: InvoiceSeries, years: Sequence[int], wanted: Counter[int]
) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO invoices_invoicecounter AS counter"
            " (id, created_at, updated_at, created_by_id, updated_by_id,"
            " series_id, year, last_number)"
            " SELECT id, %(now)s, %(now)s, %(user)s::uuid, %(user)s::uuid, %(series)s, year, wanted"
            " FROM unnest(%(ids)s::uuid[], %(years)s::int[], %(wanted)s::int[])"
            " AS given (id, year, wanted) ORDER BY year"
            " ON CONFLICT (series_id, year) DO UPDATE"
            " SET last_number = counter.last_number + EXCLUDED.last_number,"
            " updated_at = EXCLUDED.updated_at, updated_by_id = EXCLUDED.updated_by_id"
            " RETURNING year, last_number",
            {
                "now": clock.now(),
                "user": actor.user_id,
                "series": series.id,
                "ids": [uuid7() for _ in years],
                "years": list(years),
                "wanted": [wanted[year] for year in years],
            },
        )
        found = dict(cursor.fetchall())
    return [found[year] for year in years]
