"""Sellers, their prepaid credit, how it is filled, moved and sold."""

from .deposits import DepositMethod, DepositRequest, DepositState
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
    "DepositMethod",
    "DepositRequest",
    "DepositState",
    "Seller",
    "SellerQuerySet",
    "SellerState",
    "Wallet",
    "WalletPolicy",
    "WalletQuerySet",
    "WalletTransfer",
]
