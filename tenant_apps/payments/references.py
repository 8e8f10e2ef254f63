"""Numbers of payments, from sequences in the organization's own schema.

A sequence never waits for another transaction, at the price of gaps where one was rolled back.
"""

from __future__ import annotations

from django.db import connection

PAYMENTS = "payments_reference_seq"


def next_numbers(*, number: int) -> list[int]:
    """As many numbers as asked for, rising."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(%s::regclass) FROM generate_series(1, %s)", [PAYMENTS, number]
        )
        return sorted(row[0] for row in cursor.fetchall())


def payment_reference(number: int) -> str:
    return f"TXN-{number:04d}"


def payment_invoice_reference(number: int) -> str:
    return f"PIN-{number:04d}"
