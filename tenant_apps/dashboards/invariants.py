"""What the rollup promises, as the watch reads it: it equals a recount.

A run recounts the months in which something happened since the last one, from the facts and in
one statement. Quarters, years and all time, which hold far more facts, are recounted by sweeps.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.ids import earlier
from shared_apps.kernel.invariants import (
    MOST_FINDINGS,
    Finding,
    Invariant,
    Reading,
    Watermark,
    register,
)
from tenant_apps.commissions.events import CommissionAccrued
from tenant_apps.dashboards.figures import MEASURES, month_of
from tenant_apps.deals.events import DealAssigned, DealWon
from tenant_apps.payments.events import PaymentVerified
from tenant_apps.payments.models import Payment
from tenants.context import current_organization

OVERLAP = timedelta(minutes=10)
# Where each event says on which day it counts.
_DAYS = {
    DealWon.event_name(): "closed_on",
    PaymentVerified.event_name(): "effective_on",
    CommissionAccrued.event_name(): "effective_on",
}

_MOVED = DealAssigned.event_name()

_FIGURES = [f"{measure}_{kind}" for measure in MEASURES for kind in ("count", "minor")]

_RECOUNT = """
WITH fact AS (
    SELECT 'won' AS measure, closed_on AS day, value_minor AS minor, currency,
           owner_id AS agent, unit_id AS unit, client_id AS client, product_id AS product,
           NULL AS method
      FROM deals_deal WHERE stage = 'won' AND {won}
     UNION ALL
    SELECT 'collected', p.effective_on, p.amount_minor, p.currency, d.owner_id, d.unit_id,
           p.client_id, NULL, p.method
      FROM payments_payment p JOIN deals_deal d ON d.id = p.deal_id
     WHERE p.state = 'verified' AND {collected}
     UNION ALL
    SELECT 'commission', c.effective_on, c.amount_minor, c.currency, c.owner_id, d.unit_id,
           d.client_id, d.product_id, NULL
      FROM commissions_commission c JOIN deals_deal d ON d.id = c.deal_id
     WHERE c.state = 'accrued' AND {commission}
),
daily AS (
    SELECT s.dimension, s.subject, f.day, f.currency, f.measure,
           count(*) AS facts, sum(f.minor) AS minor
      FROM fact f
     CROSS JOIN LATERAL (VALUES
            ('organization', ''), ('agent', f.agent::text), ('unit', f.unit::text),
            ('client', f.client::text), ('product', f.product::text), ('method', f.method)
           ) AS s(dimension, subject)
     WHERE s.subject IS NOT NULL
     GROUP BY s.dimension, s.subject, f.day, f.currency, f.measure
),
counted AS (
    SELECT d.dimension, p.grain, p.period, d.subject, d.currency, {counted}
      FROM daily d
     CROSS JOIN LATERAL (SELECT date_trunc('month', d.day - (%(start_day)s - 1))
                                - make_interval(months => %(start_month)s - 1) AS month) fiscal
     CROSS JOIN LATERAL (SELECT lpad((extract(year FROM fiscal.month)::int + %(named)s)::text, 4,
                                     '0') AS year) named
     CROSS JOIN LATERAL (VALUES
            ('all', 'all'), ('month', to_char(d.day, 'YYYY-MM')), ('year', named.year),
            ('quarter', named.year || '-Q' || extract(quarter FROM fiscal.month))
           ) AS p(grain, period)
     WHERE {rows}
     GROUP BY d.dimension, p.grain, p.period, d.subject, d.currency
)
(SELECT '', '', (SELECT count(*) FROM fact))
UNION ALL
(SELECT concat_ws(' ', dimension, subject, period, currency), {shown}, 0
   FROM counted c
   FULL JOIN (SELECT * FROM dashboards_rollup p WHERE {rows}) r
  USING (dimension, grain, period, subject, currency)
  WHERE {differs}
  ORDER BY 1 LIMIT %(most)s)
"""


def _statement(*, by_month: bool) -> str:
    """The recount of some months, or of everything. Names of our own are put in, nothing else."""

    def counted(column: str) -> str:
        in_months = f"to_char({column}, 'YYYY-MM') = ANY (%(months)s)"
        return f"{column} BETWEEN %(first)s AND %(last)s AND {in_months}" if by_month else "true"

    def total(name: str) -> str:
        measure, _, kind = name.rpartition("_")
        column = "d.facts" if kind == "count" else "d.minor"
        return f"coalesce(sum({column}) FILTER (WHERE d.measure = '{measure}'), 0) AS {name}"

    rows = "p.grain = 'month' AND p.period = ANY (%(months)s)" if by_month else "true"
    return _RECOUNT.format(
        won=counted("closed_on"),
        collected=counted("p.effective_on"),
        commission=counted("c.effective_on"),
        counted=", ".join(total(name) for name in _FIGURES),
        rows=rows,
        shown=" || ', ' || ".join(
            f"'{name} ' || coalesce(r.{name}, 0) || ' not ' || coalesce(c.{name}, 0)"
            for name in _FIGURES
        ),
        differs=" OR ".join(f"coalesce(r.{name}, 0) <> coalesce(c.{name}, 0)" for name in _FIGURES),
    )


def rollup(*, since: Watermark | None) -> Reading:
    """Whether the rollup equals a recount of the months that were touched since the watermark.

    The watermark is the id of the newest entry of the audit that tells of something that counts.
    """
    newest = str((since or {}).get("newest", ""))
    first = earlier(UUID(newest), OVERLAP) if newest else UUID(int=0)
    entries = AuditEntry.objects.filter(event_name__in=[*_DAYS, _MOVED]).order_by("-id")
    latest = entries.values_list("id", flat=True).first()
    watermark = {"newest": str(latest or "")}
    if since is None:
        return _recounted(watermark, months=None)
    days = _days_touched(list(entries.filter(id__gte=first)))
    return _recounted(watermark, months=days) if days else Reading(watermark=watermark)


def _days_touched(entries: Collection[AuditEntry]) -> set[date]:
    days = {
        date.fromisoformat(str(entry.payload[_DAYS[entry.event_name]]))
        for entry in entries
        if entry.event_name in _DAYS
    }
    moved = [entry.subject_id for entry in entries if entry.event_name == _MOVED]
    if moved:
        paid = Payment.objects.verified().filter(deal_id__in=moved)
        days.update(day for day in paid.values_list("effective_on", flat=True) if day is not None)
    return days


def _recounted(watermark: Watermark, *, months: set[date] | None) -> Reading:
    calendar = current_organization().fiscal_calendar
    values: dict[str, Any] = {
        "start_day": calendar.start_day,
        "start_month": calendar.start_month,
        # A fiscal year that begins later than January is named by the year in which it ends.
        "named": int((calendar.start_month, calendar.start_day) != (1, 1)),
        "most": MOST_FINDINGS,
    }
    if months is not None:
        values["months"] = sorted({month_of(day) for day in months})
        values["first"] = min(months).replace(day=1)
        values["last"] = max(months).replace(day=1) + timedelta(days=31)
    with connection.cursor() as cursor:
        cursor.execute(_statement(by_month=months is not None), values)
        ((_, _, facts), *found) = cursor.fetchall()
    return Reading(
        findings=[
            Finding(rule="the rollup equals a recount", subject=subject, detail=detail)
            for subject, detail, _ in found
        ],
        watermark=watermark,
        rows=facts,
    )


def register_invariants() -> None:
    """Tell the watch what the rollup promises."""
    register(
        Invariant(
            name="dashboards.rollup",
            title="The figures of the dashboards equal a recount of what they are made of.",
            concerns="dashboards",
            check=rollup,
        )
    )
