"""What happened in the books by somebody's own decision; postings are told by their domain."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualJournalPosted(Event):
    """The subject is the journal."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.journal"
    effective_on: date
    legs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningBalancesPosted(Event):
    """The subject is the journal."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.journal"
    effective_on: date
    legs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalReversed(Event):
    """The subject is the journal that was undone."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.journal"
    reversal_id: UUID
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountAdded(Event):
    """A line was added to the chart."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.account"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(Event):
    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.account"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReopened(Event):
    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.account"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStriped(Event):
    """The accounts under a line of the chart spread over so many balances each."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.account"
    code: str
    stripes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDeferralChanged(Event):
    """Credits of a line of the chart are counted later from now on, or at once."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.account"
    code: str
    deferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalYearOpened(Event):
    """The subject is the first period of the year."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.fiscalperiod"
    fiscal_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodClosed(Event):
    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.fiscalperiod"
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodReopened(Event):
    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.fiscalperiod"
    starts_on: date
    ends_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyExchanged(Event):
    """The subject is the journal; amounts in minor units."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "ledger.journal"
    effective_on: date
    sold_minor: int
    sold_currency: str
    bought_minor: int
    bought_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingsStopped(Event):
    """An alarm has stopped the books. The subject is the organization."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "tenants.organization"
    alarm_id: UUID
    invariant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostingsStarted(Event):
    """Somebody has let the books be written again. The subject is the organization."""

    app: ClassVar[str] = "ledger"
    subject_type: ClassVar[str] = "tenants.organization"
    reason: str
