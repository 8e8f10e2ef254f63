"""The only writer of the books. Domain apps post with `post` and undo with `reverse`."""

from tenant_apps.ledger.entries import (
    Journal,
    JournalLine,
    OpeningLine,
    PostedLeg,
    Posting,
    Reversal,
)

from .journals import post_manual_journal, post_opening_balances, reverse_journal
from .periods import close_period, open_fiscal_year, reopen_period
from .postings import post, reverse

__all__ = [
    "Journal",
    "JournalLine",
    "OpeningLine",
    "PostedLeg",
    "Posting",
    "Reversal",
    "close_period",
    "open_fiscal_year",
    "post",
    "post_manual_journal",
    "post_opening_balances",
    "reopen_period",
    "reverse",
    "reverse_journal",
]
