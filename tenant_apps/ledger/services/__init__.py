"""The only writer of the books. Domain apps post with `post` and undo with `reverse`."""

from tenant_apps.ledger.entries import (
    CreditChange,
    CreditState,
    Funds,
    HeldFunds,
    HoldRequest,
    Journal,
    JournalLine,
    OpeningLine,
    PostedLeg,
    Posting,
    Reversal,
)
from tenant_apps.ledger.folding import fold_for_reading, fold_waiting

from .accounts import add_account, close_account, lock_account, reopen_account
from .credit_lines import change_credit, open_credit_line, set_credit_limit
from .credit_sales import post_credit_sale
from .deferral import set_deferral
from .exchanges import exchange_currency
from .holds import capture, expire_holds, release, reserve
from .journals import post_manual_journal, post_opening_balances, reverse_journal
from .periods import close_period, open_fiscal_year, reopen_period
from .postings import post, post_each
from .reversals import reverse
from .stopping import start_postings, stop_postings
from .stripes import stripe_account

__all__ = [
    "CreditChange",
    "CreditState",
    "Funds",
    "HeldFunds",
    "HoldRequest",
    "Journal",
    "JournalLine",
    "OpeningLine",
    "PostedLeg",
    "Posting",
    "Reversal",
    "add_account",
    "capture",
    "change_credit",
    "close_account",
    "close_period",
    "exchange_currency",
    "expire_holds",
    "fold_for_reading",
    "fold_waiting",
    "lock_account",
    "open_credit_line",
    "open_fiscal_year",
    "post",
    "post_credit_sale",
    "post_each",
    "post_manual_journal",
    "post_opening_balances",
    "release",
    "reopen_account",
    "reopen_period",
    "reserve",
    "reverse",
    "reverse_journal",
    "set_credit_limit",
    "set_deferral",
    "start_postings",
    "stop_postings",
    "stripe_account",
]
