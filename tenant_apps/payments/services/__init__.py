"""The only writer of payments, their invoices and their allocations.

Everything is done in batches; the single form calls the plural one with one. Lock order, for all:
deals, payments, approvals, invoices, then (in what they call) ledger balances and the rollup; rows
of one table in the order of their ids.
"""

from tenant_apps.payments.services.allocating import allocate_on_deals
from tenant_apps.payments.services.printing import print_payment_invoice
from tenant_apps.payments.services.recording import (
    NewPayment,
    amend_payment,
    attach_proof,
    record_payment,
    record_payments,
)
from tenant_apps.payments.services.verifying import (
    Verification,
    reject_payment,
    verify_payment,
    verify_payments,
    withdraw_payment,
)

__all__ = [
    "NewPayment",
    "Verification",
    "allocate_on_deals",
    "amend_payment",
    "attach_proof",
    "print_payment_invoice",
    "record_payment",
    "record_payments",
    "reject_payment",
    "verify_payment",
    "verify_payments",
    "withdraw_payment",
]
