"""Human references, from sequences in the organization's own schema.

A sequence never waits for another transaction, at the price of gaps where one was rolled back.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection


class Kind(NamedTuple):
    """What is counted: the sequence, and what stands before the number."""

    sequence: str
    prefix: str

    def of(self, number: int) -> str:
        """The reference with a number, such as SEL-0001."""
        return f"{self.prefix}-{number:04d}"


SELLER = Kind("wallets_seller_seq", "SEL")
DEPOSIT = Kind("wallets_deposit_seq", "DEP")
TRANSFER = Kind("wallets_transfer_seq", "WTR")
SALE = Kind("wallets_sale_seq", "CHG")
BATCH = Kind("wallets_batch_seq", "CHB")
REFUND = Kind("wallets_refund_seq", "CRF")
RECONCILIATION = Kind("wallets_reconciliation_seq", "RCN")


def next_reference(kind: Kind) -> str:
    """The next reference of a kind. A sale's number comes with the use of its limits instead."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s::regclass)", [kind.sequence])
        (number,) = cursor.fetchone()
    return kind.of(number)
