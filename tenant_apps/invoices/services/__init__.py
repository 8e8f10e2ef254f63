"""The only writer of invoices, their series and their approvals."""

from tenant_apps.invoices.services.allocating import (
    InvoiceAllocation,
    lock_invoices,
    record_allocations,
)
from tenant_apps.invoices.services.approving import approve_invoices
from tenant_apps.invoices.services.issuing import NewInvoice, NewLine, issue_invoices
from tenant_apps.invoices.services.printing import print_invoice
from tenant_apps.invoices.services.series import change_series, record_first_series

__all__ = [
    "InvoiceAllocation",
    "NewInvoice",
    "NewLine",
    "approve_invoices",
    "change_series",
    "issue_invoices",
    "lock_invoices",
    "print_invoice",
    "record_allocations",
    "record_first_series",
]
