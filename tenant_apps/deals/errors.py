"""What can go wrong with deals, by name."""

from __future__ import annotations

from shared_apps.kernel.errors import BadInput, Conflict, RuleRefused


class UnknownClient(BadInput):
    code = "unknown_client"
    title = "There is no such client."


class UnknownProduct(BadInput):
    code = "unknown_product"
    title = "There is no such product on sale."


class UnknownTaxRate(BadInput):
    code = "unknown_deal_tax_rate"
    title = "There is no such active tax rate."


class UnknownOwner(BadInput):
    code = "unknown_owner"
    title = "There is no such active member of the organization."


class NegativeValue(BadInput):
    code = "negative_deal_value"
    title = "A deal's value is not below zero."


class ValueTooLarge(BadInput):
    code = "deal_value_too_large"
    title = "A deal's value is not that large."


class ActivityInFuture(RuleRefused):
    code = "activity_in_future"
    title = "What has not happened yet cannot be noted."


class DealAlreadyRecorded(Conflict):
    """The external reference (or the given reference) stands on another deal."""

    code = "deal_already_recorded"
    title = "A deal with this reference is recorded already."


class ReferenceReserved(RuleRefused):
    """A given reference looks like one that the sequence will still reach."""

    code = "deal_reference_reserved"
    title = "References of this form are given by the system."


class DealClosed(Conflict):
    code = "deal_closed"
    title = "The deal is closed."


class StageNotReachable(Conflict):
    code = "deal_stage_not_reachable"
    title = "The deal cannot move to this stage from where it is."


class DealHasNoClient(RuleRefused):
    code = "deal_has_no_client"
    title = "A deal without a client cannot be won."


class DealHasNoValue(RuleRefused):
    code = "deal_has_no_value"
    title = "A deal without a value cannot be won."


class ClosedBeforeEngaged(RuleRefused):
    code = "deal_closed_before_engaged"
    title = "A deal cannot be closed before it was engaged."


class StageDateInFuture(RuleRefused):
    code = "deal_stage_date_in_future"
    title = "A stage cannot be reached on a day that has not come."


class StageDateTooEarly(RuleRefused):
    code = "deal_stage_date_too_early"
    title = "A stage cannot have been reached that long ago."


class CurrencyIsFixed(RuleRefused):
    """The value of a batch or change is in another currency than the deal."""

    code = "deal_currency_differs"
    title = "The value is in another currency than the deal."


class DealRepeated(RuleRefused):
    """One batch names a deal twice."""

    code = "deal_repeated_in_batch"
    title = "A deal may stand only once in a batch."


class ValueOnlyWhenWon(RuleRefused):
    """Client and value are given together with a stage only when the deal is won."""

    code = "deal_value_only_when_won"
    title = "Client and value can be given only with the stage won."
