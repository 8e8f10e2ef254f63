"""What can go wrong with payments, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import Conflict, Forbidden, NotFound, RuleRefused


class PaymentNotFound(NotFound):
    code = "payment_not_found"
    title = "There is no such payment."


class PaymentInvoiceNotFound(NotFound):
    code = "payment_invoice_not_found"
    title = "There is no such payment invoice."


class PaymentAlreadyDecided(Conflict):
    """It was verified or rejected before, perhaps a moment ago by somebody else."""

    code = "payment_already_decided"
    title = "The payment was decided before."


class OwnPayment(Forbidden):
    """Nobody verifies money on their own deal or money they recorded themselves."""

    code = "own_payment"
    title = "Your own payment must be verified by somebody else."


class CurrencyDiffers(RuleRefused):
    code = "payment_currency_differs"
    title = "A payment is recorded in the currency of its deal."


class PaymentTooLarge(RuleRefused):
    code = "payment_too_large"
    title = "No payment is this large."


class PaidInFuture(RuleRefused):
    code = "paid_in_future"
    title = "The day of payment has not come yet."


class PayerMissing(RuleRefused):
    code = "payer_missing"
    title = "The deal names no client yet, so nobody can have paid."


class PaidByAnother(Conflict):
    """A deal's client cannot change under money that the former one paid and nobody refused."""

    code = "deal_paid_by_another"
    title = "The deal keeps its client: payments of that client stand on it."


class DealHoldsMoney(Conflict):
    """A deal is not lost while payments stand on it that nobody refused or took back."""

    code = "deal_holds_money"
    title = "The deal is not lost: payments stand on it."


class DealLost(RuleRefused):
    code = "deal_lost"
    title = "The deal was lost; it takes no payment."


class PaymentInvoiceNotApproved(Conflict):
    code = "payment_invoice_not_approved"
    title = "A payment invoice is printed once its payment is verified."


class AllocationRefused(Conflict):
    """The payment or the invoice changed under our hands; trying again is safe."""

    code = "allocation_refused"
    title = "The payment or the invoice changed at the same moment."
