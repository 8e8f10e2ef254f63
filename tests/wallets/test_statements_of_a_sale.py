"""What a sale costs the database, statement by statement: whoever adds one says so here."""

from typing import Any

from django.db import transaction

from tests.wallets.stories import Market, credit, open_market

# What stands where the transactions begin and end in a test: there it is savepoints.
BEGIN, COMMIT = "SAVEPOINT", "RELEASE SAVEPOINT"
SOLD = [
    "SELECT set_config('search_path'",
    'SELECT "accounts_session"',
    'SELECT "access_role"',
    BEGIN,
    "SELECT is_taken",
    'SELECT "wallets_wallet"',
    "UPDATE wallets_wallet",
    'INSERT INTO "wallets_chargesale"',
    'SELECT "ledger_account"',
    "SELECT o.replayed FROM ledger_reserve",
    'WITH first AS (INSERT INTO "audit_entry"',
    'INSERT INTO "idempotency_idempotencykey"',
    COMMIT,
    # The mark, by itself: whoever finds it must assume that the provider was called.
    "UPDATE wallets_chargesale",
    BEGIN,
    "UPDATE wallets_chargesale",
    'SELECT "ledger_fiscalperiod"',
    'SELECT "ledger_postingruleline"',
    'SELECT "ledger_account"',
    "SELECT o.account_id, o.state, o.remaining, o.replayed FROM ledger_close_hold",
    "SELECT",
    'WITH first AS (INSERT INTO "audit_entry"',
    COMMIT,
]
# What the books have prepared once for a connection.
PREPARED = {SOLD[9], SOLD[19], SOLD[20]}
BY_THE_BOOKS = "a prepared statement"


def body(market: Market) -> dict[str, Any]:
    return {
        "wallet": str(market.wallets["sita"].pk),
        "phone": "0712345678",
        "amount": {"amount": "1.00", "currency": "KES"},
    }


def test_a_sale(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    sita = market.api("sita")
    # The first one of all opens the account of what the provider will bill.
    assert sita.post("charge-sales/", body(market)).json()["state"] == "sold"
    assert sita.post("charge-sales/", body(market)).json()["state"] == "sold"
    assert len(sita.statements) == len(SOLD), sita.statements
    for statement, beginning in zip(sita.statements, SOLD, strict=True):
        # Of a statement that the connection has prepared, Django may not know the text.
        made = BY_THE_BOOKS if statement is None else " ".join(statement.split())
        assert made.startswith(beginning) or (made == BY_THE_BOOKS and beginning in PREPARED)


def test_a_sale_with_real_commits(real_commits: Any, simulated: Any) -> None:
    """What follows a commit chooses no schema again."""
    simulated()
    market = open_market()
    credit(market, "100.00")
    with transaction.atomic():
        sita = market.api("sita")
    for _ in range(2):
        assert sita.post("charge-sales/", body(market)).json()["state"] == "sold"
    made = [statement or BY_THE_BOOKS for statement in sita.statements]
    assert len(made) == len(SOLD), made
    assert sum("set_config('search_path'" in statement for statement in made) == 1


def test_a_repeated_request(market: Market, simulated: Any) -> None:
    simulated()
    credit(market, "100.00")
    sita = market.api("sita")
    sita.post("charge-sales/", body(market), key="one")
    again = sita.post("charge-sales/", body(market), key="one")
    assert again["Idempotency-Replayed"] == "true"
    # Who asks, the kept answer, that nobody need send it, and how it stands.
    assert len(sita.statements) == 8
