"""The command reads everything and finds whatever was done to the books behind its back."""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.seals import chains
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.services import HoldRequest, Reversal, capture, post, reserve, reverse
from tenant_apps.ledger.verification import verify
from tests.databases import owner_connection
from tests.ledger.conftest import kes, posting

Tamper = Callable[[str], None]


@pytest.fixture
def books(real_commits: Any, actor: Actor) -> Any:
    """Books with sales, payments and a reversal, committed."""
    customers = [uuid4() for _ in range(3)]
    with transaction.atomic():
        sales = [
            posting("invoice.issued", net="100.00", tax="16.00", party=one) for one in customers
        ]
        post(postings=sales, actor=actor)
        post(
            postings=[
                posting("payment.received.cash", amount="116.00", party=one) for one in customers
            ],
            actor=actor,
        )
        undone = Reversal(
            source_type="tests.document",
            source_id=sales[0].source_id,
            effective_on=date(2026, 11, 3),
        )
        reverse(reversals=[undone], actor=actor)
        source = uuid7()
        request = HoldRequest(
            id=uuid8_near(source, "hold"),
            account_code="2000",
            subledger_id=customers[0],
            amount=kes("16.00"),
            source_type="tests.document",
            source_id=source,
        )
        (held,) = reserve(holds=[request], actor=actor)
        part = posting("payment.allocated", amount="6.00", party=customers[0])
        capture(hold_id=held.hold_id, posting=part, actor=actor, release_rest=False)
    return real_commits


@pytest.fixture
def tamper(books: Any) -> Iterator[Tamper]:
    """What the owner of the database could do, with every trigger and constraint taken away."""
    owner = owner_connection(connection.settings_dict["NAME"])
    owner.execute(f"SET search_path = {books.schema_name}")
    owner.execute("SELECT set_config('ledger.writer', 'on', false)")
    for table in ("ledger_balance", "ledger_transfer", "ledger_hold", "ledger_holdentry"):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    owner.execute("ALTER TABLE ledger_balance DROP CONSTRAINT ledger_balance_floor")
    for constraint in ("sound", "debit_version", "credit_version"):
        owner.execute(f"ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_{constraint}")
    owner.execute("DROP INDEX ledger_transfer_reversed_once")

    def execute(statement: str) -> None:
        owner.execute(statement)  # type: ignore[arg-type]  # the texts stand in this file

    yield execute
    owner.close()


def found() -> set[str]:
    return {finding.check for finding in verify().findings}


def test_untouched_books_hold(books: Any) -> None:
    result = verify()
    assert result.books_hold
    assert (result.transfers, result.journals) == (12, 8)
    out = io.StringIO()
    call_command("verify_books", "--organization", "acme", stdout=out)
    assert "12 transfers in 8 journals: hold" in out.getvalue()


def test_all_organizations_are_read(books: Any) -> None:
    out = io.StringIO()
    call_command("verify_books", "--all", stdout=out)
    lines = out.getvalue().splitlines()
    organizations, sealed = 2, len(chains.registered())
    assert [line.endswith("hold") for line in lines] == [True] * (organizations * (1 + sealed))
    assert sum("seals of" in line for line in lines) == organizations * sealed


def test_it_says_where_nobody_answers(books: Any) -> None:
    with pytest.raises(CommandError, match="nobody answers"):
        call_command("verify_books", "--organization", "nowhere")


# What somebody did, and which check finds it.
CASES = [
    (
        "UPDATE ledger_balance SET posted = posted + 1 WHERE floor = 0",
        "balances equal their transfers",
    ),
    ("UPDATE ledger_balance SET version = version + 1", "balances equal their transfers"),
    ("UPDATE ledger_balance SET posted = -1 WHERE floor = 0", "nothing is below its floor"),
    ("UPDATE ledger_balance SET held = 1e9 WHERE floor = 0", "nothing is below its floor"),
    ("UPDATE ledger_balance SET held = held + 1", "what is held is the sum of the open holds"),
    (
        "UPDATE ledger_hold SET state = 'released', released_minor = 1000",
        "what is held is the sum of the open holds",
    ),
    ("DELETE FROM ledger_hold", "holds are the sum of their entries"),
    ("UPDATE ledger_hold SET amount_minor = 1700", "holds are the sum of their entries"),
    ("DELETE FROM ledger_holdentry WHERE number = 2", "holds are the sum of their entries"),
    (
        "UPDATE ledger_holdentry SET kind = 'release', journal_id = NULL WHERE number = 2",
        "holds are the sum of their entries",
    ),
    ("UPDATE ledger_balance SET floor = NULL", "balances agree with their accounts"),
    ("UPDATE ledger_balance SET direction = -direction", "balances agree with their accounts"),
    ("UPDATE ledger_balance SET currency = 'USD'", "balances agree with their accounts"),
    ("UPDATE ledger_balance SET is_open = false", "balances agree with their accounts"),
    ("DELETE FROM ledger_balance", "every account that carries money has its balances"),
    (
        "UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE leg = 2",
        "each transfer leaves the balance it says",
    ),
    (
        "UPDATE ledger_transfer SET debit_balance = 7 WHERE leg = 2",
        "each transfer leaves the balance it says",
    ),
    ("DELETE FROM ledger_transfer WHERE debit_version = 2", "versions have no gap"),
    ("DELETE FROM ledger_transfer WHERE leg = 1", "journals are whole"),
    (
        "UPDATE ledger_transfer SET effective_on = '2020-01-01' WHERE leg = 2",
        "journals are whole",
    ),
    (
        "UPDATE ledger_transfer SET source_id = gen_random_uuid() WHERE leg = 2",
        "journals are whole",
    ),
    (
        "UPDATE ledger_transfer SET currency = 'USD' WHERE leg = 2",
        "transfers stay within one currency",
    ),
    (
        "UPDATE ledger_transfer SET debit_account_id = gen_random_uuid() WHERE leg = 2",
        "transfers stay within one currency",
    ),
    (
        "UPDATE ledger_transfer SET reverses_id = gen_random_uuid()"
        " WHERE kind = 'reversal' AND leg = 1",
        "reversals undo what they name, once",
    ),
    (
        "UPDATE ledger_transfer SET reverses_id = (SELECT id FROM ledger_transfer"
        " WHERE kind = 'posting' AND rule = 'invoice.issued' LIMIT 1) WHERE kind = 'reversal'",
        "reversals undo what they name, once",
    ),
    (
        "DELETE FROM ledger_transfer WHERE kind = 'reversal' AND leg = 2",
        "journals are reversed whole",
    ),
    (
        "UPDATE ledger_account SET normal_side = 'credit' WHERE code = '1000'"
        " AND currency IS NOT NULL",
        "accounts under the chart agree with it",
    ),
    (
        "UPDATE ledger_account SET status = 'closed' WHERE code = '1000' AND currency IS NULL",
        "accounts are open as their lines of the chart are",
    ),
    (
        "UPDATE ledger_account SET status = 'closed' WHERE code = '1000' AND currency IS NOT NULL",
        "accounts are open as their lines of the chart are",
    ),
    (
        "UPDATE ledger_balance SET is_open = false",
        "accounts are open as their lines of the chart are",
    ),
    (
        "UPDATE ledger_balance b SET posted = posted + 5, version = version"
        " FROM ledger_account a WHERE a.id = b.account_id AND a.code = '4000'",
        "the books are even in each currency",
    ),
]


def test_it_finds_each_of_them(tamper: Tamper) -> None:
    """One database for all: what was done is undone from a copy."""
    written = ("ledger_balance", "ledger_transfer", "ledger_hold", "ledger_holdentry")
    tables = ("ledger_account", *written)
    for table in tables:
        tamper(f"CREATE TEMPORARY TABLE saved_{table} AS TABLE {table}")
    for statement, check in CASES:
        tamper(statement)
        assert check in found(), statement
        with pytest.raises(CommandError) as refusal:
            call_command("verify_books", "--organization", "acme", stdout=io.StringIO())
        assert refusal.value.returncode == 1
        for table in written:
            tamper(f"DELETE FROM {table}")
            tamper(f"INSERT INTO {table} TABLE saved_{table}")
        tamper(
            "UPDATE ledger_account a SET normal_side = s.normal_side, status = s.status"
            " FROM saved_ledger_account s WHERE s.id = a.id"
        )
        assert found() == set(), statement


def test_it_finds_a_transfer_written_from_outside(tamper: Tamper) -> None:
    columns = (
        "request_hash, debit_account_id, debit_stripe, credit_account_id, credit_stripe,"
        " amount_minor, currency, effective_on, posted_at, kind, rule, source_type, source_id, memo"
    )
    tamper(
        f"INSERT INTO ledger_transfer (id, journal_id, leg, debit_version, debit_balance,"
        f" credit_version, credit_balance, {columns})"
        f" SELECT gen_random_uuid(), gen_random_uuid(), 1, debit_version + 1,"
        f" debit_balance + amount_minor, credit_version + 1, credit_balance + amount_minor,"
        f" {columns} FROM ledger_transfer WHERE rule = 'payment.received.cash'"
        f" ORDER BY debit_version DESC LIMIT 1"
    )
    assert found() == {"balances equal their transfers", "transfers are found by their source"}


def test_it_finds_a_closed_line_whose_account_was_left_open(tamper: Tamper) -> None:
    """What agrees with itself below may still not be what the chart says."""
    tamper("UPDATE ledger_account SET status = 'closed' WHERE code = '1000' AND currency IS NULL")
    assert found() == {"accounts are open as their lines of the chart are"}
    tamper("UPDATE ledger_account SET status = 'closed' WHERE code = '1000'")
    tamper(
        "UPDATE ledger_balance b SET is_open = false FROM ledger_account a"
        " WHERE a.id = b.account_id AND a.code = '1000'"
    )
    assert found() == set()


# What somebody did to the snapshots of the past, and which check finds it.
SNAPSHOTS = [
    (
        "UPDATE ledger_settledposition SET version = version + 1",
        "what is settled was posted",
    ),
    (
        "DELETE FROM ledger_settledposition",
        "each settled transfer has its place in time",
    ),
    (
        "UPDATE ledger_recordedsegment SET transfer_ids = transfer_ids[2:]",
        "each settled transfer has its place in time",
    ),
    (
        "UPDATE ledger_recordedsegment SET transfer_ids = transfer_ids || transfer_ids[1:1]",
        "each settled transfer has its place in time",
    ),
    (
        "UPDATE ledger_recordedsegment SET recorded_until = recorded_until + interval '1 day'",
        "each settled transfer has its place in time",
    ),
    (
        "INSERT INTO ledger_latearrival SELECT transfer_ids[1], '2020-01-01'"
        " FROM ledger_recordedsegment LIMIT 1",
        "each settled transfer has its place in time",
    ),
    (
        "UPDATE ledger_balancesnapshot SET posted = posted + 1",
        "snapshots of balances equal their transfers",
    ),
    (
        "UPDATE ledger_balancesnapshot SET recorded_at = recorded_at - interval '1 day'",
        "snapshots of balances equal their transfers",
    ),
    (
        "UPDATE ledger_balanceday SET closing = closing + 1",
        "days of balances equal their transfers",
    ),
    ("UPDATE ledger_balanceday SET lines = 7", "days of balances equal their transfers"),
    ("DELETE FROM ledger_balanceday", "days of balances equal their transfers"),
    (
        "UPDATE ledger_balancedisplacement SET late = late + 1",
        "displacements of balances equal their transfers",
    ),
    (
        "UPDATE ledger_balancedisplacement SET versions = '{1}'",
        "displacements of balances equal their transfers",
    ),
    (
        "UPDATE ledger_booksnapshot SET closing = 0",
        "snapshots of the books equal their transfers",
    ),
    ("DELETE FROM ledger_bookday", "days of the books equal their transfers"),
    (
        "UPDATE ledger_bookdisplacement SET early = early + 1",
        "displacements of the books equal their transfers",
    ),
]


def test_it_finds_what_was_done_to_the_snapshots(
    tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "DEEP", 3)
    monkeypatch.setattr(sizes, "BLOCK", 2)
    assert settle() is not None
    assert found() == set()
    first_table = re.compile(r"(?:UPDATE|FROM|INTO) (\w+)")
    tables = sorted({first_table.findall(statement)[0] for statement, _ in SNAPSHOTS})
    for table in tables:
        tamper(f"CREATE TEMPORARY TABLE saved_{table} AS TABLE {table}")
    for statement, check in SNAPSHOTS:
        tamper(statement)
        assert check in found(), statement
        for table in tables:
            tamper(f"DELETE FROM {table}")
            tamper(f"INSERT INTO {table} TABLE saved_{table}")
        assert found() == set(), statement
