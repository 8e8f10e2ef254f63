"""What happened to sellers and their credit: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerAdded(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.seller"

    reference: str
    party_id: UUID
    user_id: UUID | None
    unit_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerChanged(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.seller"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerSuspended(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.seller"

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerReinstated(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.seller"

    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletOpened(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.wallet"

    seller_id: UUID
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletChanged(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.wallet"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletRanLow(Event):
    """The credit fell below the threshold; told once until it has risen again."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.wallet"

    seller_id: UUID
    available_minor: int
    threshold_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletPolicyChanged(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.walletpolicy"

    transfers_allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRequested(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.depositrequest"

    reference: str
    wallet_id: UUID
    seller_id: UUID
    method: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositAmended(Event):
    """Edited while it waited; the signature asked for before is void."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.depositrequest"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositApproved(Event):
    """The balance was raised. `balance_minor` is what it was raised to."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.depositrequest"

    reference: str
    wallet_id: UUID
    seller_id: UUID
    method: str
    amount_minor: int
    balance_minor: int
    currency: str
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositDenied(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.depositrequest"

    reference: str
    wallet_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositWithdrawn(Event):
    """Whoever asked for it took it back before anybody decided."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.depositrequest"

    reference: str
    wallet_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditTransferred(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.wallettransfer"

    reference: str
    from_wallet_id: UUID
    to_wallet_id: UUID
    amount_minor: int
    from_balance_minor: int
    to_balance_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorAdded(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.operator"

    code: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorChanged(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.operator"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSalePlaced(Event):
    """Credit is held for it; the provider is called after the commit."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargesale"

    reference: str
    wallet_id: UUID
    operator: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSaleUnknown(Event):
    """No answer came in time; the provider is asked until it is known."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargesale"

    reference: str
    wallet_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSold(Event):
    """The number was charged; `balance_minor` is what the sale left in the wallet."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargesale"

    reference: str
    wallet_id: UUID
    amount_minor: int
    balance_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSaleFailed(Event):
    """The number was not charged; what was held is free again."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargesale"

    reference: str
    wallet_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRefundRequested(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargerefund"

    reference: str
    sale_id: UUID
    wallet_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRefunded(Event):
    """The sale's credit is back; `balance_minor` is what the wallet holds with it."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargerefund"

    reference: str
    sale_id: UUID
    wallet_id: UUID
    origin: str
    amount_minor: int
    balance_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRefundDenied(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargerefund"

    reference: str
    sale_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeRefundWithdrawn(Event):
    """Whoever asked for it took it back before anybody decided."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargerefund"

    reference: str
    sale_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeBatchUploaded(Event):
    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargebatch"

    reference: str
    wallet_id: UUID
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeBatchFinished(Event):
    """Every row has a sale or a reason why it has none."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.chargebatch"

    reference: str
    placed: int
    refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderFileReconciled(Event):
    """How many rows have which result."""

    app: ClassVar[str] = "wallets"
    subject_type: ClassVar[str] = "wallets.providerreconciliation"

    reference: str
    results: dict[str, int]
