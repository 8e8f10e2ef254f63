"""The snapshots of the past are written by the settlement's functions; nobody else can."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.apps import apps
from django.db import DataError, ProgrammingError, connection, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.history.settling_sql import LOCK, MOVED, SETTLE
from tenant_apps.ledger.models import snapshots
from tenant_apps.ledger.services import post
from tenant_apps.ledger.verification import verify
from tenants import roles
from tests.databases import owner_connection
from tests.ledger.conftest import posting

TABLES = sorted(
    model._meta.db_table
    for model in apps.get_app_config("ledger").get_models()
    if model.__module__ == snapshots.__name__
)
ACTS = ("INSERT INTO {0} SELECT * FROM {0}", "UPDATE {0} SET {1} = {1}", "DELETE FROM {0}")


def columns(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " ORDER BY attnum LIMIT 1",
            [table],
        )
        return str(cursor.fetchone()[0])


@pytest.fixture
def settled(real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Books with something in every table of theirs."""
    monkeypatch.setattr(sizes, "DEEP", 2)
    monkeypatch.setattr(sizes, "BLOCK", 1)
    for _ in range(3):
        sell(actor)
    assert settle() is not None
    return real_commits


@transaction.atomic
def sell(actor: Actor) -> None:
    post(postings=[posting("payment.received.cash", amount="1.00", party=uuid4())], actor=actor)


@pytest.fixture
def owner(settled: Any, settings: Any) -> Iterator[psycopg.Connection]:
    """The login that owns the tables, in the organization's schema, as if there were no roles."""
    with owner_connection(connection.settings_dict["NAME"]) as login:
        login.execute(f"SET search_path = {settled.schema_name}, pg_temp")
        settings.TENANT_ROLES = False
        for statement in roles.stand_ins(settled.schema_name):
            login.execute(statement)
        settings.TENANT_ROLES = True
        yield login


def test_the_organization_may_only_read_them(settled: Any) -> None:
    assert len(TABLES) == 12
    for table in TABLES:
        for act in ACTS:
            statement = act.format(table, columns(table))
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)


def test_where_one_login_does_everything_triggers_say_the_same(owner: psycopg.Connection) -> None:
    for table in TABLES:
        for act in (*ACTS, "TRUNCATE {0}"):
            statement = act.format(table, columns(table))
            with pytest.raises(psycopg.errors.InsufficientPrivilege), owner.transaction():
                owner.execute(statement)  # type: ignore[arg-type]  # the texts stand in this file


def moved() -> tuple[list[Any], list[int], list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(MOVED)
        accounts, stripes, versions, _ = zip(*cursor.fetchall(), strict=True)
    return list(accounts), list(stripes), list(versions)


def call(accounts: list[Any], stripes: list[int], versions: list[int], **given: Any) -> None:
    values = {
        "accounts": accounts,
        "stripes": stripes,
        "versions": versions,
        "lines": [],
        "line_versions": [],
        "until": clock.now() + timedelta(seconds=1),
        "deep": 2,
        "block": 1,
        "segment": 512,
        **given,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [0])
        assert cursor.fetchone() is not None
        cursor.execute(SETTLE, values)


def test_a_list_that_is_not_whole_is_refused(settled: Any, actor: Actor) -> None:
    """Else one side of a transfer would be settled and the other lost."""
    sell(actor)
    accounts, stripes, versions = moved()
    assert len(accounts) == 2
    for lists in (
        (accounts[:1], stripes[:1], versions[:1]),
        (accounts[1:], stripes[1:], versions[1:]),
        (accounts, stripes, [one + 1 for one in versions]),
        (accounts, stripes, [one - 1 for one in versions]),
        ([*accounts, uuid4()], [*stripes, 0], [*versions, 1]),
    ):
        with pytest.raises(DataError, match="not the balances that moved"):
            call(*lists)
    with pytest.raises(DataError, match="not the credit lines that moved"):
        call(accounts, stripes, versions, lines=[uuid4()], line_versions=[1])
    assert verify().findings == ()
    call(accounts, stripes, versions)
    assert verify().findings == ()


def test_what_is_settled_stays_settled(settled: Any, actor: Actor) -> None:
    sell(actor)
    with pytest.raises(DataError, match="already"):
        call(*moved(), until=datetime(2020, 1, 1, tzinfo=UTC))
