"""Who reads the books and who writes into them by hand."""

_READERS = {
    "ledger.view_account": "organization",
    "ledger.view_transfer": "organization",
    "ledger.view_postingrule": "organization",
    "ledger.view_fiscalperiod": "organization",
    "ledger.view_hold": "organization",
    "ledger.view_creditline": "organization",
    "ledger.view_stop": "organization",
}

GRANTS = {
    "admin": {
        **_READERS,
        "ledger.add_account": "organization",
        "ledger.close_account": "organization",
        "ledger.stripe_account": "organization",
        "ledger.defer_account": "organization",
        "ledger.post_manual_journal": "organization",
        "ledger.reverse_journal": "organization",
        "ledger.post_opening_balances": "organization",
        "ledger.exchange_currency": "organization",
        "ledger.add_fiscalperiod": "organization",
        "ledger.close_fiscalperiod": "organization",
        "ledger.reopen_fiscalperiod": "organization",
        "ledger.start_postings": "organization",
    },
    "supervisor": _READERS,
}
