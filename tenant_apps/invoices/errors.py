"""What can go wrong with invoices, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import Conflict, Forbidden, RuleRefused


class DealAlreadyInvoiced(Conflict):
    code = "deal_already_invoiced"
    title = "The deal has its invoice."


class NoDefaultSeries(RuleRefused):
    code = "no_default_invoice_series"
    title = "The organization has no default invoice series."


class InvoiceWithoutLines(RuleRefused):
    code = "invoice_without_lines"
    title = "An invoice has at least one line."


class OverAllocated(RuleRefused):
    """More than the invoice's total would be covered, or less than nothing."""

    code = "invoice_over_allocated"
    title = "The invoice cannot be covered by this much."


class AllocationCurrencyDiffers(RuleRefused):
    code = "invoice_currency_differs"
    title = "The amount is in another currency than the invoice."


class MakerCannotApprove(Forbidden):
    """The owner of the deal and the issuer of the invoice do not approve it."""

    code = "maker_cannot_approve_invoice"
    title = "Nobody approves an invoice of their own."


class AlreadyApproved(Conflict):
    code = "invoice_already_approved"
    title = "The invoice is approved."
