"""Who posts, who holds funds, and who closes an account meet at the balances, in one order."""

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import HoldRequest, JournalLine
from tenant_apps.ledger.models import Account, Balance, Transfer
from tenant_apps.ledger.needed import account_id_of
from tenant_apps.ledger.services import (
    add_account,
    close_account,
    post,
    post_each,
    post_manual_journal,
    release,
    reserve,
)
from tenant_apps.ledger.verification import verify
from tests.connections import Other
from tests.ledger.conftest import kes, posting


def _hold(code: str, amount: str) -> HoldRequest:
    source = uuid7()
    return HoldRequest(
        id=uuid8_near(source, "hold"),
        account_code=code,
        amount=kes(amount),
        source_type="tests.document",
        source_id=source,
    )


def _there_and_back(actor: Actor, code: str) -> None:
    for side, other in (("debit", "credit"), ("credit", "debit")):
        lines = [
            JournalLine(account_code=code, side=side, amount=kes("5.00")),
            JournalLine(account_code="1000", side=other, amount=kes("5.00")),
        ]
        post_manual_journal(actor=actor, lines=lines, effective_on=date(2026, 11, 5), memo="-")


@pytest.fixture
def electricity(real_commits: Any, actor: Actor) -> Account:
    """A line of the organization's own, whose account is open and empty."""
    with transaction.atomic():
        chart = add_account(actor=actor, code="5210", name="Electricity", kind="expense")
        _there_and_back(actor, "5210")
    return chart


def test_an_account_on_which_somebody_is_reserving_is_not_closed(
    real_commits: Any, actor: Actor, electricity: Account
) -> None:
    with transaction.atomic():
        (held,) = reserve(holds=[_hold("5210", "5.00")], actor=actor)
        closing = Other(
            real_commits, partial(close_account, actor=actor, account_id=electricity.id)
        )
        assert closing.waits()
    assert closing.end() == "account_not_empty"
    assert Balance.objects.get(account__parent=electricity).is_open
    with transaction.atomic():
        release(hold_id=held.hold_id, actor=actor)
        close_account(actor=actor, account_id=electricity.id)
    assert verify().books_hold


def test_who_holds_funds_and_then_posts_does_not_deadlock_with_who_closes(
    real_commits: Any, actor: Actor, electricity: Account
) -> None:
    with transaction.atomic():
        (held,) = reserve(holds=[_hold("5210", "5.00")], actor=actor)
        closing = Other(
            real_commits, partial(close_account, actor=actor, account_id=electricity.id)
        )
        assert closing.waits()
        post(postings=[posting("payment.received.cash", amount="1.00", party=uuid4())], actor=actor)
        release(hold_id=held.hold_id, actor=actor)
    assert closing.end() == "done"


def test_a_batch_with_a_bad_one_keeps_no_balance_while_it_waits_for_another(
    real_commits: Any, actor: Actor
) -> None:
    """Cut in two, it would hold the balance of its first half and wait for that of the second."""
    chart = Account.objects.chart().get(code="2000")
    customers = {
        account_id_of(chart_id=chart.id, currency="KES", subledger_id=one): one
        for one in (uuid4(), uuid4())
    }
    low, high = sorted(customers)
    deposits = [
        posting("payment.received.cash", amount="1.00", party=customers[each])
        for each in (high, low)
    ]
    with transaction.atomic():
        post(postings=deposits, actor=actor)
    bad = posting("no.such.rule", amount="1.00")
    more = [replace(each, source_id=uuid7()) for each in deposits]
    batch = partial(post_each, postings=[more[0], bad, more[1]], actor=actor)
    with transaction.atomic():
        database.lock_balances(account_ids=[low])
        beside = Other(real_commits, batch)
        assert beside.waits()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1s'")
        database.lock_balances(account_ids=[high])
    assert beside.end() == "done"
    assert Transfer.objects.count() == 4
