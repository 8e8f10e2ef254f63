"""What payments promise, as the watch reads it: nothing is used twice, and nothing is overpaid."""

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

# Ids are in the order in which rows were made, and not in that of their commits: a transaction
# that lasts is read again until then. One that lasts longer is left to the sweep.
OVERLAP = timedelta(minutes=10)

_FRESH = "SELECT id, payment_id, invoice_id FROM payments_allocation WHERE id >= %(first)s"
_ALLOCATIONS = """
WITH fresh AS ({fresh}),
of_payment AS (
    SELECT p.reference, p.amount_minor, p.allocated_minor, p.state,
           coalesce(a.used, 0) AS used, coalesce(a.foreign_parts, 0) AS foreign_parts
      FROM payments_payment p
      LEFT JOIN LATERAL (
            SELECT sum(a.amount_minor) AS used,
                   count(*) FILTER (WHERE a.currency <> p.currency) AS foreign_parts
              FROM payments_allocation a WHERE a.payment_id = p.id) a ON true
     WHERE {payments}
),
of_invoice AS (
    SELECT i.number, i.total_minor, i.allocated_minor, i.outstanding_minor,
           coalesce(a.used, 0) AS used, coalesce(a.foreign_parts, 0) AS foreign_parts
      FROM invoices_invoice i
      LEFT JOIN LATERAL (
            SELECT sum(a.amount_minor) AS used,
                   count(*) FILTER (WHERE a.currency <> i.currency) AS foreign_parts
              FROM payments_allocation a WHERE a.invoice_id = i.id) a ON true
     WHERE {invoices}
)
(SELECT '', coalesce((SELECT id::text FROM payments_allocation ORDER BY id DESC LIMIT 1), ''), '',
        {rows})
UNION ALL
(SELECT 'no more of a payment is allocated than was paid', reference,
        'allocated ' || allocated_minor || ' (' || used || ' in parts) of ' || amount_minor
        || ', ' || state, 0
   FROM of_payment
  WHERE allocated_minor < 0 OR greatest(allocated_minor, used) > amount_minor
     OR allocated_minor > 0 AND state <> 'verified' OR foreign_parts > 0
  ORDER BY reference LIMIT %(most)s)
UNION ALL
(SELECT 'what is allocated of a payment is the sum of its parts', reference,
        'allocated ' || allocated_minor || ', parts give ' || used, 0
   FROM of_payment WHERE allocated_minor <> used ORDER BY reference LIMIT %(most)s)
UNION ALL
(SELECT 'no more is allocated to an invoice than it asks for', number,
        'allocated ' || allocated_minor || ' (' || used || ' in parts) of ' || total_minor, 0
   FROM of_invoice
  WHERE allocated_minor < 0 OR greatest(allocated_minor, used) > total_minor OR foreign_parts > 0
  ORDER BY number LIMIT %(most)s)
UNION ALL
(SELECT 'what is allocated to an invoice is the sum of its parts', number,
        'allocated ' || allocated_minor || ', parts give ' || used, 0
   FROM of_invoice WHERE allocated_minor <> used ORDER BY number LIMIT %(most)s)
"""
_OF_FRESH = _ALLOCATIONS.format(
    fresh=_FRESH,
    payments="p.id IN (SELECT payment_id FROM fresh)",
    invoices="i.id IN (SELECT invoice_id FROM fresh)",
    rows="(SELECT count(*) FROM fresh)",
)
_OF_ALL = _ALLOCATIONS.format(
    fresh="SELECT",
    payments="true",
    invoices="true",
    rows="(SELECT count(*) FROM payments_allocation)",
)


def allocations(*, since: Watermark | None) -> Reading:
    """Whether payments and invoices are what their parts say, within what was paid and asked.

    It reads the payments and invoices of the allocations made since the watermark, which is the
    id of the newest one.
    """
    newest = str((since or {}).get("newest", ""))
    first = earlier(UUID(newest), OVERLAP) if newest else UUID(int=0)
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_ALL if since is None else _OF_FRESH, {"first": first, "most": MOST_FINDINGS}
        )
        (head, *found) = cursor.fetchall()
    return Reading(
        findings=[
            Finding(rule=rule, subject=subject, detail=detail) for rule, subject, detail, _ in found
        ],
        watermark={"newest": head[1]},
        rows=head[3],
    )


def register_invariants() -> None:
    """Tell the watch what payments promise."""
    register(
        Invariant(
            name="payments.allocations",
            title="No more is allocated than was paid, and no more than an invoice asks for.",
            concerns="payments",
            check=allocations,
        )
    )
