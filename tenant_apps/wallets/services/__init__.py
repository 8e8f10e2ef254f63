"""The only writer of sellers, wallets, deposits and transfers.

Rows are locked in one order everywhere: what is decided on (a deposit request, a sale), its
approval, wallets by id, and last of all balances, which the books lock in their own order.
"""

from .deposits import (
    NewDeposit,
    approve_deposit,
    attach_deposit_proof,
    deny_deposit,
    request_deposit,
    withdraw_deposit,
)
from .policy import change_policy
from .sellers import NewSeller, add_seller, change_seller, reinstate_seller, suspend_seller
from .transfers import NewTransfer, transfer_credit
from .wallets import change_wallet, open_wallet

__all__ = [
    "NewDeposit",
    "NewSeller",
    "NewTransfer",
    "add_seller",
    "approve_deposit",
    "attach_deposit_proof",
    "change_policy",
    "change_seller",
    "change_wallet",
    "deny_deposit",
    "open_wallet",
    "reinstate_seller",
    "request_deposit",
    "suspend_seller",
    "transfer_credit",
    "withdraw_deposit",
]
