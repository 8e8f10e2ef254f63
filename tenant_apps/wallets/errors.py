"""What can go wrong with sellers and their credit, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import (
    BadInput,
    Conflict,
    DependencyDown,
    Forbidden,
    NotAuthenticated,
    RuleRefused,
)

LESS_AVAILABLE = "Less than this is available: what is held for running sales counts as spent."


class SellerSuspended(RuleRefused):
    code = "seller_suspended"
    title = "The seller is suspended."


class SellerStateUnchanged(Conflict):
    """The seller is suspended, or is not, already."""

    code = "seller_state_unchanged"
    title = "The seller is in that state already."


class SellerAlreadyAdded(Conflict):
    """The party or the user is a seller already."""

    code = "seller_already_added"
    title = "This party or this user is a seller already."


class WalletAlreadyOpen(Conflict):
    code = "wallet_already_open"
    title = "The seller has a wallet in this currency."


class WalletCurrencyDiffers(RuleRefused):
    code = "wallet_currency_differs"
    title = "The amount is not in the currency of the wallet."


class CreditAmountTooLarge(RuleRefused):
    code = "credit_amount_too_large"
    title = "No wallet moves this much at once."


class NotEnoughCredit(RuleRefused):
    """The wallet holds less than is asked for, or a part of it is held for running sales."""

    code = "not_enough_credit"
    title = "The wallet does not hold enough credit."


class DepositAlreadyDecided(Conflict):
    """It was approved, denied or withdrawn before, perhaps a moment ago by somebody else."""

    code = "deposit_already_decided"
    title = "The deposit request was decided before."


class OwnDeposit(Forbidden):
    """Nobody decides on a deposit that they asked for, or that raises their own credit."""

    code = "own_deposit"
    title = "Your own deposit request must be decided by somebody else."


class DepositInFuture(RuleRefused):
    code = "deposit_in_future"
    title = "The day of the deposit has not come yet."


class TransfersNotAllowed(RuleRefused):
    """The organization's policy or the seller's own setting allows no transfers."""

    code = "transfers_not_allowed"
    title = "This seller may not give credit to other sellers."


class TransferToSelf(RuleRefused):
    code = "transfer_to_self"
    title = "A wallet gives nothing to itself."


class StatementTooLong(RuleRefused):
    code = "statement_too_long"
    title = "The period has too many rows for a document; ask for the CSV or a shorter period."


class PhoneNumberInvalid(BadInput):
    """No such number can exist, or it is not one of a mobile phone."""

    code = "phone_number_invalid"
    title = "This is not the number of a mobile phone."


class OperatorUnknown(RuleRefused):
    """No active operator of the organization's table has a prefix of this number."""

    code = "operator_unknown"
    title = "No operator is known for this number."


class OperatorCodeTaken(Conflict):
    code = "operator_code_taken"
    title = "There is an operator of this code."


class PrefixTaken(Conflict):
    code = "operator_prefix_taken"
    title = "The prefix belongs to another operator."


class SaleLimitExceeded(RuleRefused):
    code = "sale_limit_exceeded"
    title = "A single sale of this wallet may not be this large."


class DailyLimitExceeded(RuleRefused):
    """What was sold today, running sales included, leaves less than this sale needs."""

    code = "daily_limit_exceeded"
    title = "The wallet's limit for today does not allow this sale."


class NoChargeProvider(DependencyDown):
    """The platform has no provider of phone charge, or it was taken away."""

    code = "no_charge_provider"
    title = "Phone charge cannot be sold at the moment."


class SaleNotSold(Conflict):
    """It failed, or it is not known yet what became of it: nothing was taken for good."""

    code = "sale_not_sold"
    title = "Only a sale that is sold can be refunded."


class AlreadyRefunded(Conflict):
    """The sale's credit was given back, perhaps a moment ago, or because the provider reversed."""

    code = "sale_already_refunded"
    title = "The credit of the sale was given back before."


class RefundAlreadyRequested(Conflict):
    code = "refund_already_requested"
    title = "A refund of this sale waits for a decision."


class RefundAlreadyDecided(Conflict):
    """It was approved, denied or withdrawn before, or the provider reversed the charge."""

    code = "refund_already_decided"
    title = "The refund was decided before."


class OwnRefund(Forbidden):
    """Nobody decides on a refund that they asked for, or that gives back what they sold."""

    code = "own_refund"
    title = "This refund must be decided by somebody else."


class CallbackNotSigned(NotAuthenticated):
    """It bears no signature of the organization's provider, or one older than five minutes."""

    code = "callback_not_signed"
    title = "The message is not signed by the provider."


class CallbackForAnother(Forbidden):
    """It is signed, and names another organization than the host that it was sent to."""

    code = "callback_for_another_organization"
    title = "The message is meant for another organization."


class CallbackIdReused(Conflict):
    """Another message of the provider, about another outcome or sale, had the same id."""

    code = "callback_id_reused"
    title = "Another message had this id."


class FileUnreadable(BadInput):
    """An uploaded table is no CSV in UTF-8, or lacks a column."""

    code = "table_unreadable"
    title = "The file is not a table that can be read."


class BatchTooLong(RuleRefused):
    code = "batch_too_long"
    title = "A file has at most 5,000 rows."


class BatchEmpty(RuleRefused):
    code = "batch_empty"
    title = "The file has no rows."
