"""Where one login does everything, triggers say what the roles would have said."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.services import post
from tenants import roles
from tests.databases import owner_connection
from tests.ledger.conftest import posting

STATEMENTS = [
    "UPDATE ledger_balance SET posted = 5",
    "UPDATE ledger_balance SET posted = 5 WHERE false",
    "DELETE FROM ledger_balance",
    "INSERT INTO ledger_balance (account_id, stripe, posted, held, version, direction, currency,"
    " is_open) SELECT account_id, 1, 0, 0, 0, 1, 'KES', true FROM ledger_balance LIMIT 1",
    "TRUNCATE ledger_balance",
    "UPDATE ledger_transfer SET amount_minor = 5",
    "DELETE FROM ledger_transfer",
    "TRUNCATE ledger_transfer",
    "INSERT INTO ledger_transfer SELECT * FROM ledger_transfer",
]


@pytest.fixture
def owner(real_commits: Any, actor: Actor, settings: Any) -> Iterator[psycopg.Connection]:
    """The login that owns the tables, in the organization's schema, as if there were no roles."""
    with transaction.atomic():
        post(postings=[posting("payment.received.cash", amount="1.00", party=uuid4())], actor=actor)
    with owner_connection(connection.settings_dict["NAME"]) as login:
        login.execute(f"SET search_path = {real_commits.schema_name}, pg_temp")
        settings.TENANT_ROLES = False
        guards = list(roles.stand_ins(real_commits.schema_name))
        assert guards
        for statement in guards:
            login.execute(statement)
        assert not list(roles.stand_ins(real_commits.schema_name))
        settings.TENANT_ROLES = True
        yield login


def test_even_the_owner_writes_by_the_functions_alone(owner: psycopg.Connection) -> None:
    again = (
        "SELECT ledger_post_transfer(gen_random_uuid(), '\\x00', gen_random_uuid(), 1::smallint,"
        " debit_account_id, 0::smallint, 1::smallint, credit_account_id, 0::smallint, 0::smallint,"
        " 100, 'KES', effective_on,"
        " 'posting', '', 'tests.document', gen_random_uuid(), NULL, '', NULL, now())"
        " FROM ledger_transfer LIMIT 1"
    )
    for statement in STATEMENTS:
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute(again)
            # What opened the door for the function has closed it behind it.
            owner.execute(statement)  # type: ignore[arg-type]  # the texts stand in this file
    sums = owner.execute("SELECT sum(posted), max(version) FROM ledger_balance").fetchone()
    assert sums == (200, 1)
    owner.execute(again)
    sums = owner.execute("SELECT sum(posted), max(version) FROM ledger_balance").fetchone()
    assert sums == (400, 2)


def test_a_refused_posting_leaves_the_door_closed(owner: psycopg.Connection) -> None:
    with owner.transaction():
        with pytest.raises(psycopg.Error) as refusal, owner.transaction():
            owner.execute(
                "SELECT ledger_post_transfer(gen_random_uuid(), '\\x00', gen_random_uuid(),"
                " 1::smallint, credit_account_id, 0::smallint, 0::smallint, debit_account_id,"
                " 0::smallint, 1::smallint, 101,"
                " 'KES', effective_on, 'posting', '', 'tests.document', gen_random_uuid(), NULL,"
                " '', NULL, now()) FROM ledger_transfer LIMIT 1"
            )
        assert refusal.value.sqlstate == "KL005"
        with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
            owner.execute("UPDATE ledger_balance SET posted = 5")


def test_where_roles_stand_they_refuse_and_the_guards_cost_nothing(
    real_commits: Any, actor: Actor
) -> None:
    assert not list(roles.stand_ins(real_commits.schema_name))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(tgenabled = 'D') FROM pg_trigger"
            " WHERE tgname IN ('ledger_balance_guard', 'ledger_transfer_guard')"
            " AND tgrelid IN ('ledger_balance'::regclass, 'ledger_transfer'::regclass)"
        )
        assert cursor.fetchone() == (True,)
        for statement in STATEMENTS:
            if statement.startswith("TRUNCATE"):
                continue
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                cursor.execute(statement)
