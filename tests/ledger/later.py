"""Lines of the chart that are credited later, and what of them is counted."""

from datetime import date
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import JournalLine, Leg
from tenant_apps.ledger.models import Account, Balance
from tenant_apps.ledger.needed import account_id_of
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import post_manual_journal, set_deferral
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import kes, posting

LATER = ("4000", "2100")
CUSTOMER = uuid4()
sale = partial(posting, "invoice.issued", party=CUSTOMER)


def defer(actor: Actor, *codes: str, deferred: bool = True) -> None:
    for code in codes or LATER:
        line = Account.objects.chart().get(code=code)
        set_deferral(actor=actor, account_id=line.id, deferred=deferred)


@pytest.fixture
def later(tenant: Any, actor: Actor) -> Any:
    """Books whose revenue and tax are counted later; one transaction that is taken back."""
    defer(actor)
    return tenant


def account_of(code: str) -> UUID:
    line = Account.objects.chart().get(code=code)
    return account_id_of(chart_id=line.id, currency="KES", subledger_id=None)


def counted(code: str) -> tuple[int, int]:
    """The account's version and balance, without what waits."""
    return Balance.objects.values_list("version", "posted").get(account_id=account_of(code))


def even() -> bool:
    return all(total.difference.is_zero for total in trial_balance().totals)


def hold() -> None:
    result = verify()
    assert result.books_hold, result.findings


def by_hand(actor: Actor, debit: str, credit: str, amount: str) -> None:
    lines = [
        JournalLine(account_code=debit, side="debit", amount=kes(amount)),
        JournalLine(account_code=credit, side="credit", amount=kes(amount)),
    ]
    post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")


def leg_of(source: UUID, *, stripe: int = 0, effective_on: date = date(2026, 11, 5)) -> Leg:
    """Of a source: 0.50 in cash, in a stripe of it, for the line 4900."""
    return Leg(
        id=uuid8_near(source, "leg"),
        request_hash=b"x" * 32,
        journal_id=uuid8_near(source, "journal"),
        number=1,
        debit_account_id=account_of("1000"),
        credit_account_id=account_of("4900"),
        amount=kes("0.50"),
        effective_on=effective_on,
        kind="posting",
        source_type="tests.document",
        source_id=source,
        debit_stripe=stripe,
        debit_rank=100,
        credit_rank=100,
        credit_deferred=True,
    )


def charge(*, size: int = 1, effective_on: date = date(2026, 11, 5)) -> None:
    """Cash for the line 4900, counted later, as a posting rule over it would have it."""
    legs = [leg_of(uuid7(), effective_on=effective_on) for _ in range(size)]
    database.post_legs(legs=legs, posted_at=clock.now(), actor_id=None)
