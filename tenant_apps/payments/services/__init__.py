"""The only writer of payments, their invoices and their allocations.

Everything is done in batches; the single form calls the plural one with one. Deals are locked
first, then payments, then approvals, rows of one table in the order of their ids;
docs/decisions/deals-are-locked-first.md has the whole order, and where it ends.
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
from tenant_apps.payments.services.standing import check_no_money_stands, check_payers
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
    "check_no_money_stands",
    "check_payers",
    "print_payment_invoice",
    "record_payment",
    "record_payments",
    "reject_payment",
    "verify_payment",
    "verify_payments",
    "withdraw_payment",
]
