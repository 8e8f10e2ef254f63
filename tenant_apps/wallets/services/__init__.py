"""The only writer of sellers, wallets, deposits, transfers and sales.

Rows are locked in one order everywhere: sales, what is decided on (a deposit request, a refund),
its approval, wallets by id, and last of all balances, which the books lock in their own order.
"""

from .batches import upload_charge_batch, work_on_batch
from .callbacks import CallbackMessage, take_callback
from .delivering import deliver_sale, settle_due, settle_sale
from .deposits import (
    NewDeposit,
    approve_deposit,
    attach_deposit_proof,
    deny_deposit,
    request_deposit,
    withdraw_deposit,
)
from .operators import add_operator, change_operator
from .policy import change_policy
from .reconciling import reconcile_provider_file
from .refunds import (
    approve_charge_refund,
    deny_charge_refund,
    request_charge_refund,
    withdraw_charge_refund,
)
from .sales import NewSale, place_charge_sale
from .sellers import NewSeller, add_seller, change_seller, reinstate_seller, suspend_seller
from .transfers import NewTransfer, transfer_credit
from .wallets import change_wallet, open_wallet

__all__ = [
    "CallbackMessage",
    "NewDeposit",
    "NewSale",
    "NewSeller",
    "NewTransfer",
    "add_operator",
    "add_seller",
    "approve_charge_refund",
    "approve_deposit",
    "attach_deposit_proof",
    "change_operator",
    "change_policy",
    "change_seller",
    "change_wallet",
    "deliver_sale",
    "deny_charge_refund",
    "deny_deposit",
    "open_wallet",
    "place_charge_sale",
    "reconcile_provider_file",
    "reinstate_seller",
    "request_charge_refund",
    "request_deposit",
    "settle_due",
    "settle_sale",
    "suspend_seller",
    "take_callback",
    "transfer_credit",
    "upload_charge_batch",
    "withdraw_charge_refund",
    "withdraw_deposit",
    "work_on_batch",
]
