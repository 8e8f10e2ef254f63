"""Books that stand committed, and an owner of the database who tampers with them."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.invariants.services import watch
from tenant_apps.ledger.services import HoldRequest, post, reserve
from tests.databases import owner_connection
from tests.ledger.conftest import kes, posting

Tamper = Callable[[str], None]

GUARDED = ("ledger_balance", "ledger_transfer", "ledger_hold", "ledger_creditline")


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


@pytest.fixture
def customers() -> list[UUID]:
    return [uuid4() for _ in range(3)]


@pytest.fixture
def books(real_commits: Any, actor: Actor, customers: list[UUID]) -> Any:
    """Sales, payments and a hold, committed and found right."""
    with transaction.atomic():
        post(
            postings=[
                *(posting("invoice.issued", net="100.00", tax="16.00", party=p) for p in customers),
                *(posting("payment.received.cash", amount="116.00", party=p) for p in customers),
            ],
            actor=actor,
        )
        source = uuid7()
        request = HoldRequest(
            id=uuid8_near(source, "hold"),
            account_code="2000",
            subledger_id=customers[0],
            amount=kes("16.00"),
            source_type="tests.document",
            source_id=source,
        )
        reserve(holds=[request], actor=actor)
    assert watch(actor=actor) == []
    return real_commits


@pytest.fixture
def tamper(books: Any) -> Iterator[Tamper]:
    """What the owner of the database could do, with triggers and constraints taken away."""
    owner = owner_connection(connection.settings_dict["NAME"])
    owner.execute(f"SET search_path = {books.schema_name}")
    for table in GUARDED:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table, names in {
        "ledger_balance": ("floor",),
        "ledger_transfer": ("sound", "debit_version", "credit_version"),
        "ledger_creditline": ("within",),
    }.items():
        for name in names:
            owner.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{name}")

    def execute(statement: str) -> None:
        owner.execute(statement)  # type: ignore[arg-type]  # the texts stand in the tests

    yield execute
    owner.close()


def sale(customer: UUID, amount: str = "10.00") -> Any:
    return posting("payment.received.cash", amount=amount, party=customer, day=date(2026, 11, 2))


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
