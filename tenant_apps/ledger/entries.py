"""The values that go into the books and come out of a posting."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from shared_apps.kernel.ids import ids_near
from shared_apps.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One business event for the books: a rule by name, its amounts, and whose they are.

    `amounts` gives every amount that the rule names; zero gives no transfer. `subledgers` names
    the party or user ("party", "user") whose sub-account is meant, where the rule's accounts keep
    sub-ledgers; `debit_subledgers` and `credit_subledgers` go before it on their side, where the
    two sides belong to two people. A source is posted once per rule.
    """

    rule: str
    source_type: str
    source_id: UUID
    amounts: Mapping[str, Money]
    effective_on: date
    subledgers: Mapping[str, UUID] = field(default_factory=dict)
    debit_subledgers: Mapping[str, UUID] = field(default_factory=dict)
    credit_subledgers: Mapping[str, UUID] = field(default_factory=dict)
    memo: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What is to be undone: a journal by its id, or all journals of a source (of one rule)."""

    effective_on: date
    journal_id: UUID | None = None
    source_type: str = ""
    source_id: UUID | None = None
    rule: str = ""
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One line of a manual journal: a positive amount on one side of an account.

    `subledger_id` names the party or user where the line of the chart keeps a sub-ledger.
    """

    account_code: str
    side: str
    amount: Money
    subledger_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLine:
    """What an account holds on the first day, positive on its normal side."""

    account_code: str
    amount: Money
    subledger_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One transfer to be posted. The ranks are those of its accounts in the order of locks.

    `credit_deferred` says that the credited account may count it later.
    """

    id: UUID
    request_hash: bytes
    journal_id: UUID
    number: int
    debit_account_id: UUID
    credit_account_id: UUID
    amount: Money
    effective_on: date
    kind: str
    source_type: str
    source_id: UUID
    rule: str = ""
    reverses_id: UUID | None = None
    memo: str = ""
    debit_stripe: int = 0
    credit_stripe: int = 0
    debit_rank: int = 0
    credit_rank: int = 0
    credit_deferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """What of a striped account is to stand in one stripe: the fullest, or the one given.

    There are as many ids as an account may have stripes; those that are needed are used.
    """

    journal_id: UUID
    transfer_ids: tuple[UUID, ...]
    request_hash: bytes
    account_id: UUID
    amount: Money
    into: int | None
    effective_on: date


def locked_by(legs: Iterable[Leg]) -> list[UUID]:
    """The accounts whose balances the legs change: not those that they credit later."""
    debits = {leg.debit_account_id for leg in legs}
    credits = {leg.credit_account_id for leg in legs if not leg.credit_deferred}
    return sorted(debits | credits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the database answered for one leg; balances are in minor units, normal side up.

    `replayed` says that the leg stood in the books before this call. A credit that is counted later
    has no version and no balance, also when it is told again after it was counted.
    """

    debit_version: int
    debit_balance: int
    credit_version: int | None
    credit_balance: int | None
    replayed: bool

    @classmethod
    def of(cls, row: Sequence[Any]) -> Self:
        """What a posting function answered in one row."""
        debit_version, debit_balance, credit_version, credit_balance, replayed = row
        return cls(
            debit_version=debit_version,
            debit_balance=debit_balance,
            credit_version=credit_version,
            credit_balance=credit_balance,
            replayed=replayed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedLeg:
    """A leg that stands in the books, with what it left on either side (minor units).

    Of a credit that is counted later, nobody knows that yet: `credit_balance` is None.
    """

    transfer_id: UUID
    number: int
    debit_account_id: UUID
    credit_account_id: UUID
    amount: Money
    debit_balance: int
    credit_balance: int | None

    @property
    def credited_balance(self) -> int:
        """What the credit left on an account that is never credited later."""
        if self.credit_balance is None:
            raise ValueError("This credit is counted later.")
        return self.credit_balance


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """The legs of one entry in the books. A posting whose amounts are all zero has none.

    `replayed` says that the journal stood in the books before this call.
    """

    id: UUID
    kind: str
    rule: str
    source_type: str
    source_id: UUID
    effective_on: date
    legs: tuple[PostedLeg, ...]
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRequest:
    """Funds to be reserved on an account, so that nobody else may use them.

    `id` is the hold's own and makes the request repeatable; it begins as its source's does
    (`kernel.ids.uuid8_near`). Without `expires_at` the funds are held until somebody decides.
    """

    id: UUID
    account_code: str
    amount: Money
    source_type: str
    source_id: UUID
    subledger_id: UUID | None = None
    expires_at: datetime | None = None
    memo: str = ""

    def __post_init__(self) -> None:
        # Otherwise the hold would stand, and whoever asks for those of its source would miss it.
        lowest, highest = ids_near(self.source_id)
        if not lowest <= self.id <= highest:
            raise ValueError("A hold's id begins as its source's does.")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldFunds:
    """A hold as it stands after an act, with what is still held.

    `replayed` says that the act had been done before this call.
    """

    hold_id: UUID
    account_id: UUID
    state: str
    remaining: Money
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """What an account holds, how much of it is held for somebody, and what may be used.

    `available` is what lies above the account's floor; None where the account has none.
    """

    posted: Money
    held: Money
    available: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditChange:
    """What is to become of a subject's credit line in the currency of the amounts.

    `used` and `held` are added to what the line has, with their sign: a sale uses, a payment
    returns, a hold that becomes a sale takes from one and gives to the other. `kind` is one of
    `CreditLineEntryKind`; "override" alone may pass the limit, for a `reason`. `id` makes the
    change repeatable and begins as its source's does (`kernel.ids.uuid8_near`).
    """

    id: UUID
    subject_type: str
    subject_id: UUID
    kind: str
    used: Money
    held: Money
    effective_on: date
    source_type: str
    source_id: UUID
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditState:
    """A credit line right after a change; `limit` and `available` are None where there is none.

    `available` may be below zero, where more is in use than the limit allows.
    """

    line_id: UUID
    limit: Money | None
    used: Money
    held: Money
    available: Money | None
    replayed: bool
