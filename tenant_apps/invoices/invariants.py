"""What invoices promise, as the watch reads it: numbers without a gap."""

from __future__ import annotations

import json

from django.db import connection

from shared_apps.kernel.invariants import (
    MOST_FINDINGS,
    Finding,
    Invariant,
    Reading,
    Watermark,
    register,
)

# Numbers are unique within series and year: as many above the watermark as the counter has gone
# up since, none of them higher, are all of them.
_NUMBERS = """
SELECT c.id::text, c.last_number, s.code || '-' || c.year, w.checked, i.numbers, i.highest,
       w.checked + i.numbers = c.last_number
           AND coalesce(i.highest, w.checked) = c.last_number AS has_no_gap
  FROM invoices_invoicecounter c
  JOIN invoices_invoiceseries s ON s.id = c.series_id
 CROSS JOIN LATERAL (
        SELECT coalesce((%(since)s::jsonb ->> c.id::text)::bigint, 0) AS checked) w
 CROSS JOIN LATERAL (
        SELECT count(*) AS numbers, max(i.sequence) AS highest
          FROM invoices_invoice i
         WHERE i.series_id = c.series_id AND i.year = c.year AND i.sequence > w.checked) i
 WHERE w.checked <> c.last_number OR %(all)s
"""
_WITHOUT_COUNTER = """
SELECT s.code || '-' || i.year, count(*)
  FROM invoices_invoice i JOIN invoices_invoiceseries s ON s.id = i.series_id
 WHERE NOT EXISTS (SELECT FROM invoices_invoicecounter c
                    WHERE c.series_id = i.series_id AND c.year = i.year)
 GROUP BY 1 ORDER BY 1 LIMIT %s
"""


def numbers(*, since: Watermark | None) -> Reading:
    """Whether each series and year has as many invoices as numbers it gave out.

    The watermark is how many numbers of each counter were found complete.
    """
    checked: dict[str, int] = dict(since or {})
    findings, read = [], 0
    with connection.cursor() as cursor:
        cursor.execute(_NUMBERS, {"since": json.dumps(checked), "all": since is None})
        for counter, last, name, before, found, highest, has_no_gap in cursor.fetchall():
            read += found
            if has_no_gap:
                checked[counter] = last
                continue
            findings.append(
                Finding(
                    rule="numbers have no gap",
                    subject=name,
                    detail=f"{last - before} numbers after {before} were given out; {found}"
                    f" invoices have one, the highest {highest or 'none'}",
                )
            )
        if since is None:
            cursor.execute(_WITHOUT_COUNTER, [MOST_FINDINGS])
            findings += [
                Finding(
                    rule="numbers come from a counter",
                    subject=name,
                    detail=f"{invoices} invoices and no counter",
                )
                for name, invoices in cursor.fetchall()
            ]
    return Reading(findings=findings[:MOST_FINDINGS], watermark=checked, rows=read)


def register_invariants() -> None:
    """Tell the watch what invoices promise."""
    register(
        Invariant(
            name="invoices.numbers",
            title="The numbers of invoices have no gap within a series and year.",
            concerns="invoices",
            check=numbers,
        )
    )
