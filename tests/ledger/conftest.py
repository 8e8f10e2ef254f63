"""The cast and the words of the ledger's tests."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared_apps.access.actors import system_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.entries import Posting


@pytest.fixture
def actor() -> Actor:
    return system_actor("test")


def kes(text: str) -> Money:
    return Money.parse(text, "KES")


def posting(rule: str, *, day: date = date(2026, 11, 2), **values: Any) -> Posting:
    """A posting of a new source: amounts by name as texts in KES, `party` and `user` by id."""
    people: dict[str, UUID] = {
        kind: values.pop(kind) for kind in ("party", "user") if kind in values
    }
    sides = {
        name: values.pop(name)
        for name in ("debit_subledgers", "credit_subledgers")
        if name in values
    }
    source: UUID = values.pop("source", None) or uuid4()
    amounts = {
        name: value if isinstance(value, Money) else kes(value) for name, value in values.items()
    }
    return Posting(
        rule=rule,
        source_type="tests.document",
        source_id=source,
        amounts=amounts,
        subledgers=people,
        debit_subledgers=sides.get("debit_subledgers", {}),
        credit_subledgers=sides.get("credit_subledgers", {}),
        effective_on=day,
    )


@pytest.fixture
def balance() -> Callable[..., str]:
    from tenant_apps.ledger.selectors import balance_of

    def read(code: str, subledger_id: UUID | None = None, currency: str = "KES") -> str:
        return balance_of(
            account_code=code, subledger_id=subledger_id, currency=currency
        ).to_string()

    return read
