"""What commissions promise, as the watch reads it: one for each allocation, and in the books."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.db import connection

from shared_apps.kernel.ids import earlier
from shared_apps.kernel.invariants import (
    MOST_FINDINGS,
    Finding,
    Invariant,
    Reading,
    Watermark,
    register,
)

# As with allocations: a transaction that lasts is read again until it has ended.
OVERLAP = timedelta(minutes=10)

# The transfers of a commission lie beside its id.
_ACCRUALS = """
WITH part AS (
    SELECT a.id, c.id AS commission_id, c.state, c.amount_minor, c.collected_minor,
           a.amount_minor AS allocated_minor
      FROM payments_allocation a
      LEFT JOIN commissions_commission c ON c.allocation_id = a.id
     WHERE a.id >= %(first)s
),
booked AS (
    SELECT p.commission_id, p.amount_minor, coalesce(t.posted, 0) AS posted
      FROM part p
     CROSS JOIN LATERAL (
            SELECT sum(CASE t.kind WHEN 'reversal' THEN -t.amount_minor ELSE t.amount_minor END)
                       AS posted
              FROM ledger_transfer t
             WHERE t.id BETWEEN (left(p.commission_id::text, 13) || '-0000-0000-000000000000')::uuid
                            AND (left(p.commission_id::text, 13) || '-ffff-ffff-ffffffffffff')::uuid
               AND t.source_id = p.commission_id AND t.rule = 'commission.accrued'
            OFFSET 0) t
     WHERE p.commission_id IS NOT NULL
)
(SELECT '', coalesce((SELECT id::text FROM payments_allocation ORDER BY id DESC LIMIT 1), ''), '',
        (SELECT count(*) FROM part))
UNION ALL
(SELECT 'every allocation has its commission', id::text,
        CASE WHEN commission_id IS NULL THEN 'none was made'
             ELSE 'made for ' || collected_minor || ', allocated ' || allocated_minor END, 0
   FROM part WHERE commission_id IS NULL OR collected_minor <> allocated_minor
  ORDER BY id LIMIT %(most)s)
UNION ALL
(SELECT 'what accrued stands in the books', commission_id::text,
        'accrued ' || coalesce(amount_minor, 0) || ', posted ' || posted, 0
   FROM booked WHERE coalesce(amount_minor, 0) <> posted
  ORDER BY commission_id LIMIT %(most)s)
"""


def accruals(*, since: Watermark | None) -> Reading:
    """Whether each allocation has its commission, and the books say what accrued.

    It reads the allocations made since the watermark, the id of the newest one. One that was
    waiting and accrues later is read by sweeps.
    """
    newest = str((since or {}).get("newest", ""))
    first = earlier(UUID(newest), OVERLAP) if newest else UUID(int=0)
    with connection.cursor() as cursor:
        cursor.execute(_ACCRUALS, {"first": first, "most": MOST_FINDINGS})
        (head, *found) = cursor.fetchall()
    return Reading(
        findings=[
            Finding(rule=rule, subject=subject, detail=detail) for rule, subject, detail, _ in found
        ],
        watermark={"newest": head[1]},
        rows=head[3],
    )


def register_invariants() -> None:
    """Tell the watch what commissions promise."""
    register(
        Invariant(
            name="commissions.accruals",
            title="Every allocation has its commission, and what accrued stands in the books.",
            concerns="commissions",
            check=accruals,
        )
    )
