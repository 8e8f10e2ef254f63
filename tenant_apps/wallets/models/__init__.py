"""Sellers, their prepaid credit, how it is filled, moved and sold."""

from .batches import BatchRowState, BatchState, ChargeBatch, ChargeBatchRow
from .callbacks import ProviderCallback
from .deposits import DepositMethod, DepositRequest, DepositState
from .operators import Operator, OperatorPrefix
from .reconciliations import MatchResult, ProviderReconciliation, ReconciledRow
from .refunds import ChargeRefund, RefundOrigin, RefundState
from .sales import UNSETTLED, ChargeSale, ChargeSaleQuerySet, SaleState
from .sellers import (
    Seller,
    SellerQuerySet,
    SellerState,
    Wallet,
    WalletPolicy,
    WalletQuerySet,
)
from .transfers import WalletTransfer

__all__ = [
    "UNSETTLED",
    "BatchRowState",
    "BatchState",
    "ChargeBatch",
    "ChargeBatchRow",
    "ChargeRefund",
    "ChargeSale",
    "ChargeSaleQuerySet",
    "DepositMethod",
    "DepositRequest",
    "DepositState",
    "MatchResult",
    "Operator",
    "OperatorPrefix",
    "ProviderCallback",
    "ProviderReconciliation",
    "ReconciledRow",
    "RefundOrigin",
    "RefundState",
    "SaleState",
    "Seller",
    "SellerQuerySet",
    "SellerState",
    "Wallet",
    "WalletPolicy",
    "WalletQuerySet",
    "WalletTransfer",
]
