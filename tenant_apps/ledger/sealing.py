"""What of the books is sealed: every column, in this order (docs/seals.md)."""

from shared_apps.seals.chains import Chain, Form, Kind

JOURNAL_METADATA = Chain(
    name="journal-metadata",
    code=3,
    table="ledger_journalmetadata",
    moment="recorded_at",
    permission="ledger.view_transfer",
    forms=(
        Form(
            number=1,
            columns=(
                ("id", Kind.UUID),
                ("first_leg_id", Kind.UUID),
                ("metadata", Kind.JSON),
                ("recorded_at", Kind.MOMENT),
                ("recorded_by_id", Kind.UUID),
            ),
        ),
    ),
)
TRANSFERS = Chain(
    name="transfers",
    code=1,
    table="ledger_transfer",
    moment="posted_at",
    permission="ledger.view_transfer",
    forms=(
        Form(
            number=1,
            columns=(
                ("id", Kind.UUID),
                ("request_hash", Kind.BYTES),
                ("journal_id", Kind.UUID),
                ("leg", Kind.INTEGER),
                ("debit_account_id", Kind.UUID),
                ("debit_stripe", Kind.INTEGER),
                ("debit_version", Kind.INTEGER),
                ("debit_balance", Kind.INTEGER),
                ("credit_account_id", Kind.UUID),
                ("credit_stripe", Kind.INTEGER),
                ("credit_version", Kind.INTEGER),
                ("credit_balance", Kind.INTEGER),
                ("amount_minor", Kind.INTEGER),
                ("currency", Kind.TEXT),
                ("effective_on", Kind.DAY),
                ("posted_at", Kind.MOMENT),
                ("kind", Kind.TEXT),
                ("rule", Kind.TEXT),
                ("source_type", Kind.TEXT),
                ("source_id", Kind.UUID),
                ("actor_id", Kind.UUID),
                ("reverses_id", Kind.UUID),
                ("memo", Kind.TEXT),
            ),
        ),
    ),
)
