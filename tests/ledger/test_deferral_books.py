"""Whoever meddles with what waits, or with what was counted later, is found out."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.seals.chains import Chain
from tenant_apps.ledger import invariants
from tenant_apps.ledger.models import Transfer
from tenant_apps.ledger.sealing import TRANSFERS
from tenant_apps.ledger.services import fold_waiting, post
from tenant_apps.ledger.verification import verify
from tenants import roles
from tests.databases import owner_connection
from tests.ledger.later import account_of, defer, hold, sale

WAITING, COUNTED = "ledger_deferredcredit", "ledger_foldedcredit"
WRITES = [
    f"UPDATE {WAITING} SET amount_minor = 1",
    f"DELETE FROM {WAITING}",
    f"INSERT INTO {WAITING} SELECT account_id, gen_random_uuid(), 5 FROM {WAITING}",
    f"UPDATE {COUNTED} SET balance = 1",
    f"DELETE FROM {COUNTED}",
    f"INSERT INTO {COUNTED} SELECT gen_random_uuid(), account_id, 9, 5, 0 FROM {COUNTED}",
]


@pytest.fixture
def books(real_commits: Any, actor: Actor) -> Any:
    """Four sales whose revenue is counted by now, and two whose revenue waits."""
    with transaction.atomic():
        defer(actor, "4000")
        post(postings=[sale(net=f"{n}.00", tax="0.00") for n in range(1, 5)], actor=actor)
    fold_waiting()
    with transaction.atomic():
        post(postings=[sale(net="7.00", tax="0.00") for _ in range(2)], actor=actor)
    hold()
    assert watched() == set()
    return real_commits


@pytest.fixture
def owner(books: Any) -> Iterator[psycopg.Connection]:
    with owner_connection(connection.settings_dict["NAME"]) as login:
        login.execute(f"SET search_path = {books.schema_name}, pg_temp")
        yield login


@pytest.fixture
def tamper(owner: psycopg.Connection) -> Callable[[str], None]:
    for table in (WAITING, COUNTED, "ledger_balance", "ledger_transfer"):
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # type: ignore[arg-type]
    owner.execute(f"ALTER TABLE {COUNTED} DROP CONSTRAINT ledger_foldedcredit_version")

    def execute(statement: str) -> None:
        assert owner.execute(statement).rowcount > 0  # type: ignore[arg-type]

    return execute


def found() -> set[str]:
    return {finding.check for finding in verify().findings}


def watched(*, whole: bool = False) -> set[str]:
    """What the watch tells: of what moved since the last time, or of everything."""
    since: Any = None if whole else object()
    return {
        finding.rule
        for check in (invariants.balances, invariants.trial_balance)
        for finding in check(since=since).findings
    }


GAP = "versions have no gap"
STEP = "each transfer leaves the balance it says"
SUM = "balances equal their transfers"
ONCE = "credits that were deferred wait or are counted, once"
EVEN = "the books are even in each currency"


@pytest.mark.parametrize(
    ("statement", "by_all", "by_watch"),
    [
        (f"UPDATE {COUNTED} SET balance = balance + 1 WHERE version = 2", {STEP}, {STEP}),
        (f"UPDATE {COUNTED} SET version = 9 WHERE version = 2", {GAP, STEP}, {GAP, STEP}),
        (f"UPDATE {COUNTED} SET version = 5 - version", {STEP}, {STEP}),
        (f"DELETE FROM {COUNTED} WHERE version = 4", {ONCE, GAP, STEP}, {GAP, STEP}),
        (f"UPDATE {COUNTED} SET stripe = 1 WHERE version = 4", {ONCE}, set()),
        (
            f"UPDATE {COUNTED} SET account_id = gen_random_uuid() WHERE version = 4",
            {ONCE},
            {GAP, STEP},
        ),
        (
            f"UPDATE {COUNTED} SET transfer_id = gen_random_uuid() WHERE version = 4",
            {ONCE, GAP, STEP},
            {GAP, STEP},
        ),
        (f"DELETE FROM {WAITING}", {ONCE, GAP, STEP, SUM, EVEN}, {GAP, STEP, SUM, EVEN}),
        (
            f"UPDATE {WAITING} SET amount_minor = amount_minor + 1",
            {ONCE, EVEN},
            {EVEN},
        ),
        (
            f"UPDATE {WAITING} SET account_id = (SELECT account_id FROM ledger_balance b"
            f" WHERE b.account_id NOT IN (SELECT account_id FROM {WAITING}) LIMIT 1)",
            {ONCE, GAP, STEP, SUM},
            {GAP, STEP, SUM},
        ),
        (
            f"INSERT INTO {WAITING} SELECT account_id, transfer_id, 100 FROM {COUNTED}"
            " WHERE version = 1",
            {ONCE, EVEN},
            {EVEN},
        ),
        (
            "UPDATE ledger_balance SET posted = posted + 1 WHERE account_id IN"
            f" (SELECT account_id FROM {COUNTED})",
            {SUM, EVEN},
            {SUM, EVEN},
        ),
        (
            "UPDATE ledger_transfer SET amount_minor = amount_minor + 1 WHERE id ="
            f" (SELECT transfer_id FROM {COUNTED} WHERE version = 3)",
            {STEP, SUM},
            {STEP, SUM},
        ),
    ],
)
def test_it_is_found(
    tamper: Callable[[str], None], statement: str, by_all: set[str], by_watch: set[str]
) -> None:
    tamper(statement)
    assert by_all <= found()
    assert by_watch <= watched(whole=True)


def test_the_watch_finds_what_was_counted_wrong_since_the_last_time(
    tamper: Callable[[str], None],
) -> None:
    fold_waiting()
    tamper(f"UPDATE {COUNTED} SET balance = balance + 1 WHERE version = 6")
    assert watched() == {STEP}


def test_the_watch_finds_what_no_longer_waits(tamper: Callable[[str], None]) -> None:
    tamper(f"DELETE FROM {WAITING}")
    assert watched() == {EVEN}


def test_what_waits_for_a_closed_account_is_found(tamper: Callable[[str], None]) -> None:
    tamper("UPDATE ledger_account SET status = 'closed' WHERE code = '4000'")
    assert "credits wait where nobody decides by the balance" in found()


def test_the_organization_may_only_read_both(books: Any) -> None:
    for statement in WRITES:
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_where_one_login_does_everything_triggers_say_the_same(
    owner: psycopg.Connection, books: Any, settings: Any
) -> None:
    settings.TENANT_ROLES = False
    for statement in roles.stand_ins(books.schema_name):
        owner.execute(statement)
    settings.TENANT_ROLES = True
    for write in (*WRITES, f"TRUNCATE {WAITING}", f"TRUNCATE {COUNTED}"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute(write)  # type: ignore[arg-type]  # the texts stand in this file


def test_a_transfer_is_the_same_row_before_and_after(books: Any) -> None:
    """So its seal does not depend on when its credit was counted: it says that it was not."""
    waiting = Transfer.objects.filter(credit_account_id=account_of("4000"), credit_version=None)
    before = list(waiting.order_by("id").values())
    fold_waiting()
    assert list(waiting.order_by("id").values()) == before
    assert len(before) == 6
    chain: Chain = TRANSFERS
    assert {"credit_version", "credit_balance"} <= {name for name, _ in chain.forms[0].columns}
