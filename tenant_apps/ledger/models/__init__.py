"""The books: accounts, their balances, transfers between them, posting rules and periods.

Accounts are cold and balances are hot: no foreign key points at a balance, and transfers carry
no checked foreign key, because a check would lock the very rows that every posting shares. The
posting functions hold those references instead, and `verify_books` reads them all.
"""

from .accounts import (
    STRIPES_AT_MOST,
    Account,
    AccountKind,
    AccountQuerySet,
    AccountStatus,
    Balance,
    Side,
)
from .credit_lines import (
    CreditLine,
    CreditLineEntry,
    CreditLineEntryKind,
    CreditLineEntryQuerySet,
    CreditLineQuerySet,
)
from .deferral import DeferredCredit, FoldedCredit
from .holds import Hold, HoldEntry, HoldEntryKind, HoldQuerySet, HoldState
from .metadata import (
    METADATA_KEY_LENGTH,
    METADATA_KEYS_AT_MOST,
    METADATA_VALUE_LENGTH,
    JournalMetadata,
)
from .periods import FiscalPeriod, FiscalPeriodQuerySet, PeriodState
from .rules import PostingRule, PostingRuleLine, PostingRuleLineQuerySet
from .snapshots import (
    BalanceDay,
    BalanceDisplacement,
    BalanceSnapshot,
    BookDay,
    BookDisplacement,
    BookLine,
    BookSnapshot,
    LateArrival,
    RecordedSegment,
    SettledCreditLine,
    SettledPosition,
    Settlement,
)
from .transfers import StatementLine, Transfer, TransferKind, TransferQuerySet
from .watching import Checkpoint, Stop

__all__ = [
    "METADATA_KEYS_AT_MOST",
    "METADATA_KEY_LENGTH",
    "METADATA_VALUE_LENGTH",
    "STRIPES_AT_MOST",
    "Account",
    "AccountKind",
    "AccountQuerySet",
    "AccountStatus",
    "Balance",
    "BalanceDay",
    "BalanceDisplacement",
    "BalanceSnapshot",
    "BookDay",
    "BookDisplacement",
    "BookLine",
    "BookSnapshot",
    "Checkpoint",
    "CreditLine",
    "CreditLineEntry",
    "CreditLineEntryKind",
    "CreditLineEntryQuerySet",
    "CreditLineQuerySet",
    "DeferredCredit",
    "FiscalPeriod",
    "FiscalPeriodQuerySet",
    "FoldedCredit",
    "Hold",
    "HoldEntry",
    "HoldEntryKind",
    "HoldQuerySet",
    "HoldState",
    "JournalMetadata",
    "LateArrival",
    "PeriodState",
    "PostingRule",
    "PostingRuleLine",
    "PostingRuleLineQuerySet",
    "RecordedSegment",
    "SettledCreditLine",
    "SettledPosition",
    "Settlement",
    "Side",
    "StatementLine",
    "Stop",
    "Transfer",
    "TransferKind",
    "TransferQuerySet",
]
