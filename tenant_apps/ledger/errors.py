"""What the books refuse, by name."""

from shared_apps.kernel.errors import BadInput, Conflict, NotFound, RuleRefused


class UnknownAccount(NotFound):
    """No account has this code (and sub-ledger), or it is not one that carries money."""

    code = "unknown_account"
    title = "There is no such account."


class UnknownPostingRule(RuleRefused):
    """The organization's books have no posting rule of this name."""

    code = "unknown_posting_rule"
    title = "There is no posting rule of this name."


class AmountsDoNotFitRule(RuleRefused):
    """A posting gives other amounts, or other sub-ledgers, than its rule names."""

    code = "amounts_do_not_fit_rule"
    title = "The amounts are not those that the posting rule names."


class NegativeAmount(RuleRefused):
    """A posting's amount is below zero; what goes back is posted by a reversal."""

    code = "negative_amount"
    title = "An amount to post is zero or more."


class PostingMismatch(Conflict):
    """The source was posted before under this rule, with other content."""

    code = "posting_mismatch"
    title = "This was posted before with other content."


class AccountUnusable(RuleRefused):
    """An account is closed, does not exist, or is kept in another currency."""

    code = "account_unusable"
    title = "An account cannot be posted to."


class PeriodIsClosed(RuleRefused):
    """The posting would take effect in a closed period."""

    code = "period_closed"
    title = "The period is closed."


class BelowFloor(RuleRefused):
    """The posting would take more from an account than it may give."""

    code = "below_floor"
    title = "The account does not hold enough."


class AlreadyReversed(Conflict):
    """A journal is reversed once."""

    code = "already_reversed"
    title = "This was reversed before."


class NothingToReverse(NotFound):
    """Nothing was posted for this journal or source."""

    code = "nothing_to_reverse"
    title = "There is nothing to reverse."


class ReversalOfReversal(RuleRefused):
    """A reversal is final: post the right entry anew."""

    code = "reversal_of_reversal"
    title = "A reversal is not reversed."
    advice = "Post the right entry anew."


class GatheringIsInternal(RuleRefused):
    """Money moved between the stripes of one account, for something that took from it."""

    code = "gathering_is_internal"
    title = "A gathering of stripes is not reversed."
    advice = "Reverse the journal that took from the account."


class ReversalTooEarly(RuleRefused):
    """It would take effect before what it reverses: in between, the books would show less."""

    code = "reversal_too_early"
    title = "The reversal would take effect before what it reverses."


class JournalHasSource(RuleRefused):
    """The journal belongs to a document, and is undone by undoing the document."""

    code = "journal_has_source"
    title = "This journal belongs to a document and is undone there."
    advice = "Undo the document: its journal is reversed with it."


class UnevenJournal(BadInput):
    """Debits and credits differ in a currency, or one of them is missing."""

    code = "uneven_journal"
    title = "Debits and credits are not equal."


class AccountOnBothSides(BadInput):
    """A journal debits and credits the same account."""

    code = "account_on_both_sides"
    title = "An account stands on both sides of the journal."


class AccountCodeTaken(Conflict):
    """The chart has a line with this code."""

    code = "account_code_taken"
    title = "The chart has an account with this code."


class AccountIsOneParty(RuleRefused):
    """What holds money for one party, user or seller keeps one balance each."""

    code = "account_is_one_party"
    title = "Accounts of one party, user or seller are not striped."


class StripesOnlyGrow(Conflict):
    """Stripes carry money: there are more of them, never fewer. `stripes` says how many."""

    code = "stripes_only_grow"
    title = "The account has as many stripes already."


class AccountNotEmpty(RuleRefused):
    """Something is held under the line of the chart, or a posting rule uses it."""

    code = "account_not_empty"
    title = "The account is in use."
    advice = "Bring what it holds to another account first."


class AccountAlreadyClosed(Conflict):
    """The line of the chart is closed."""

    code = "account_already_closed"
    title = "The account is closed already."


class AccountNotClosed(Conflict):
    """The line of the chart is open."""

    code = "account_not_closed"
    title = "The account is open."


class AccountNotDeferrable(RuleRefused):
    """Credits are counted later only where no floor and no party's limit depends on the balance."""

    code = "account_not_deferrable"
    title = "What the account holds must be known at once."


class PeriodNotEnded(RuleRefused):
    """Only a period that has ended can be closed."""

    code = "period_not_ended"
    title = "The period has not ended yet."


class PeriodAlreadyClosed(Conflict):
    """The period is closed."""

    code = "period_already_closed"
    title = "The period is closed already."


class PeriodNotClosed(Conflict):
    """The period is open."""

    code = "period_not_closed"
    title = "The period is open."


class FiscalYearExists(Conflict):
    """The fiscal year has its periods."""

    code = "fiscal_year_exists"
    title = "The fiscal year is open already."


class UnknownHold(NotFound):
    """No hold has this id."""

    code = "unknown_hold"
    title = "There is no such hold."


class HoldClosed(Conflict):
    """The hold was captured, released or has expired: it holds nothing any more."""

    code = "hold_closed"
    title = "The hold is closed."


class HoldExceeded(RuleRefused):
    """A capture would take more than is still held."""

    code = "hold_exceeded"
    title = "The hold does not hold that much."


class UnknownCreditLine(NotFound):
    """The subject has no credit line in this currency."""

    code = "unknown_credit_line"
    title = "There is no such credit line."


class AboveLimit(RuleRefused):
    """More credit would be in use than the line's limit allows."""

    code = "above_credit_limit"
    title = "The credit limit does not allow that much."


class CreditNotInUse(RuleRefused):
    """More would be given back than is used or held on the line."""

    code = "credit_not_in_use"
    title = "That much is not in use on the credit line."


class SameCurrency(BadInput):
    """An exchange sells and buys the same currency."""

    code = "same_currency"
    title = "An exchange is between two currencies."
    advice = "Sell one currency and buy another."


class InstantInFuture(BadInput):
    """What will be known at an instant that has not come cannot be told."""

    code = "instant_in_future"
    title = "The instant has not come yet."
    advice = "Ask about an instant that is over."


class InstantNotSettled(Conflict):
    """Postings that were on their way at that instant may still arrive: ask again in a minute.

    `settled_until` says until when the answers are final.
    """

    code = "instant_not_settled"
    title = "What was known at that instant is not settled yet."
    advice = "Ask again in a minute, or about an instant until `settled_until`."


class BooksStopped(Conflict):
    """An invariant of the books is broken: nothing is posted until somebody starts them again."""

    code = "books_stopped"
    title = "The books are stopped."


class BooksNotStopped(Conflict):
    """The books are running: there is nothing to start."""

    code = "books_not_stopped"
    title = "The books are not stopped."


class BooksDoNotHold(Conflict):
    """The books are started again only when every invariant that concerns them is green."""

    code = "books_do_not_hold"
    title = "The books do not hold yet."
    advice = "Repair what the watch found; it looks again every minute."
