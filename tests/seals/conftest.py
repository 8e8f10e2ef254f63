"""Sealed books: committed transfers and audit entries, and an owner who tampers with them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.access.actors import system_actor
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.onboarding.events import PlanChanged
from shared_apps.seals import chains
from shared_apps.seals.services import seal_chains
from shared_apps.seals.verification import Finding, verify_chain
from tenant_apps.ledger.services import post
from tenants.context import platform_context
from tests.databases import owner_connection
from tests.ledger.conftest import posting

Tamper = Callable[[str], None]
TABLES = (
    "ledger_transfer",
    "audit_entry",
    "seals_segment",
    "seals_entry",
    "seals_droppedsegment",
)


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


def sell(number: int = 1, *, actor: Actor) -> None:
    """Post so many payments in one transaction."""
    with transaction.atomic():
        post(
            postings=[
                posting("payment.received.cash", amount="10.00", party=uuid4())
                for _ in range(number)
            ],
            actor=actor,
        )


def write_platform_entries(number: int) -> None:
    """What super-admins do stands in the platform's own log."""
    with platform_context(reason="test"), transaction.atomic():
        for place in range(number):
            event = PlanChanged(
                subject_id=uuid4(), plan_code="growth", former_plan_code="trial", reason=str(place)
            )
            audit.record(event, actor=system_actor("test"))


def findings(chain: str = "transfers") -> list[Finding]:
    return verify_chain(chains.by_name(chain)).findings


def wrongs(chain: str = "transfers") -> set[str]:
    return {str(finding.wrong) for finding in findings(chain)}


@pytest.fixture
def owner(real_commits: Any) -> Iterator[Any]:
    """What the owner of the database could do, with every trigger taken away."""
    session = owner_connection(connection.settings_dict["NAME"])
    session.execute(f"SET search_path = {real_commits.schema_name}")
    for table in TABLES:
        session.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield session
    session.close()


@pytest.fixture
def books(real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Three sealed segments of four transfers each; everything in the audit is sealed too."""
    monkeypatch.setattr("shared_apps.seals.services.SEGMENT_ROWS", 4)
    for _ in range(3):
        sell(4, actor=actor)
        seal_chains()
    return real_commits


@pytest.fixture
def restore(owner: Any) -> Callable[[], None]:
    """Takes a copy of all sealed rows and seals now; calling it puts them back."""
    for table in TABLES:
        owner.execute(f"CREATE TEMPORARY TABLE saved_{table} AS TABLE {table}")

    def put_back() -> None:
        for table in TABLES:
            owner.execute(f"DELETE FROM {table}")
            owner.execute(f"INSERT INTO {table} TABLE saved_{table}")

    return put_back
