"""Who may do what with sellers and their credit, unless the organization says otherwise."""

from __future__ import annotations

_SEE_ALL = {
    "wallets.view_seller": "organization",
    "wallets.view_wallet": "organization",
    "wallets.view_depositrequest": "organization",
    "wallets.view_wallettransfer": "organization",
    "wallets.view_walletpolicy": "organization",
    "wallets.view_chargesale": "organization",
    "wallets.view_chargerefund": "organization",
    "wallets.view_chargebatch": "organization",
    "wallets.view_operator": "organization",
    "wallets.view_providerreconciliation": "organization",
}

GRANTS: dict[str, dict[str, str]] = {
    "seller": {
        "accounts.view_user": "own",
        "approvals.view_approval": "own",
        "wallets.view_seller": "own",
        "wallets.view_wallet": "own",
        "wallets.view_depositrequest": "own",
        "wallets.add_depositrequest": "own",
        "wallets.change_depositrequest": "own",
        "wallets.view_wallettransfer": "own",
        "wallets.add_wallettransfer": "own",
        "wallets.view_operator": "organization",
        "wallets.view_chargesale": "own",
        "wallets.add_chargesale": "own",
        "wallets.view_chargerefund": "own",
        "wallets.view_chargebatch": "own",
        "wallets.add_chargebatch": "own",
    },
    "wallet_admin": {
        **_SEE_ALL,
        "accounts.view_user": "organization",
        "access.view_unit": "organization",
        "approvals.view_approval": "organization",
        "wallets.add_seller": "organization",
        "wallets.change_seller": "organization",
        "wallets.suspend_seller": "organization",
        "wallets.add_wallet": "organization",
        "wallets.change_wallet": "organization",
        "wallets.add_depositrequest": "organization",
        "wallets.change_depositrequest": "organization",
        "wallets.decide_depositrequest": "organization",
        "wallets.add_chargerefund": "organization",
        "wallets.decide_chargerefund": "organization",
        "wallets.change_walletpolicy": "organization",
        "wallets.add_operator": "organization",
        "wallets.change_operator": "organization",
        "wallets.add_providerreconciliation": "organization",
    },
    "supervisor": _SEE_ALL,
    "admin": {**_SEE_ALL, "wallets.change_walletpolicy": "organization"},
}
