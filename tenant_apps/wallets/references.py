"""Human references, from sequences in the organization's own schema.

A sequence never waits for another transaction, at the price of gaps where one was rolled back.
"""

from __future__ import annotations

from django.db import connection

SELLER = ("wallets_seller_seq", "SEL")
DEPOSIT = ("wallets_deposit_seq", "DEP")
TRANSFER = ("wallets_transfer_seq", "WTR")
SALE = ("wallets_sale_seq", "CHG")
BATCH = ("wallets_batch_seq", "CHB")
RECONCILIATION = ("wallets_reconciliation_seq", "RCN")


def next_reference(kind: tuple[str, str]) -> str:
    """The next reference of a kind, such as SEL-0001."""
    sequence, prefix = kind
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass)", [sequence])
        (number,) = cursor.fetchone()
    return f"{prefix}-{number:04d}"
