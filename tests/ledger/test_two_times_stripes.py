"""An account whose balance stands in several rows has one past."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger import database
from tenant_apps.ledger.entries import Leg
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.balances import balances_at
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.history.statements import Statement
from tenant_apps.ledger.models import Account, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import post
from tenant_apps.ledger.verification import verify
from tests.databases import owner_connection
from tests.ledger.conftest import kes, posting

STRIPES = 3
START = datetime(2026, 5, 4, 9, tzinfo=UTC)


@pytest.fixture
def cash(real_commits: Any, actor: Actor, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """Cash in three stripes; nobody but the owner makes them yet."""
    monkeypatch.setattr(sizes, "DEEP", 10)
    monkeypatch.setattr(sizes, "BLOCK", 4)
    monkeypatch.setattr(sizes, "SEGMENT", 7)
    with clock.frozen(START), transaction.atomic():
        post(postings=[posting("payment.received.cash", amount="1.00", party=uuid4())], actor=actor)
    account_id: UUID = Account.objects.with_balance().get(code="1000").id
    with owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(f"SET search_path = {real_commits.schema_name}")
        owner.execute("SELECT set_config('ledger.writer', 'on', false)")
        owner.execute(
            "INSERT INTO ledger_balance (account_id, stripe, posted, held, floor, version,"
            " direction, currency, is_open)"
            " SELECT account_id, s, 0, 0, floor, 0, direction, currency, is_open"
            " FROM ledger_balance CROSS JOIN generate_series(1, %s) AS s WHERE account_id = %s",
            [STRIPES - 1, account_id],
        )
    return account_id


def move(cash: UUID, other: UUID, *, stripe: int, day: date, back: bool, amount: int) -> None:
    source = uuid7()
    sides = {"debit": (cash, stripe), "credit": (other, 0)}
    if back:
        sides = {"debit": (other, 0), "credit": (cash, stripe)}
    leg = Leg(
        id=uuid8_near(source, "leg"),
        request_hash=b"x" * 32,
        journal_id=uuid8_near(source, "journal"),
        number=1,
        debit_account_id=sides["debit"][0],
        debit_stripe=sides["debit"][1],
        credit_account_id=sides["credit"][0],
        credit_stripe=sides["credit"][1],
        amount=kes(f"{amount}.00"),
        effective_on=day,
        kind="posting",
        source_type="tests.document",
        source_id=source,
    )
    with transaction.atomic():
        database.post_legs(legs=[leg], posted_at=clock.now(), actor_id=None)


def test_stripes_are_summed_and_their_lines_stand_together(cash: UUID, actor: Actor) -> None:
    other = Account.objects.with_balance().get(code="2000").id
    dice = random.Random(7)
    horizons: list[datetime] = []
    with clock.frozen(START) as now:
        for number in range(120):
            now.advance(minutes=dice.choice([0, 1, 45, 700]))
            move(
                cash,
                other,
                stripe=dice.randrange(STRIPES),
                day=now.at.date() + timedelta(days=dice.choice([0, 0, 0, -3, 2])),
                back=dice.random() < 0.2 and number > 50,
                amount=dice.randint(1, 9),
            )
            if dice.random() < 0.2:
                now.advance(seconds=1)
                done = settle()
                assert done is not None
                horizons.append(done.until)
                now.advance(seconds=1)
        assert verify().findings == ()
        for known_at in [None, *dice.sample(horizons, 8)]:
            for days in (None, 0, 3, 9):
                as_of = None if days is None else (START + timedelta(days=days)).date()
                _compare(cash, as_of, known_at)


def _compare(cash: UUID, as_of: date | None, known_at: datetime | None) -> None:
    """Each settlement saw all that was posted before it, so `posted_at` says what was known."""
    rows = [
        row
        for row in Transfer.objects.touching(cash)
        if (as_of is None or row.effective_on <= as_of)
        and (known_at is None or row.posted_at <= known_at)
    ]
    lines = []
    for row in rows:
        is_debit = row.debit_account_id == cash
        stripe = row.debit_stripe if is_debit else row.credit_stripe
        version = row.debit_version if is_debit else row.credit_version
        change = row.amount_minor if is_debit else -row.amount_minor
        lines.append((row.effective_on, version, stripe, row.id, change))
    wanted, balance = [], 0
    for *_, id_, change in sorted(lines):
        balance += change
        wanted.append((id_, balance))
    held = balances_at(account_ids=[cash], as_of=as_of, known_at=known_at)
    assert held.get(cash, 0) == balance
    books = trial_balance(as_of=as_of, known_at=known_at)
    assert all(total.difference.is_zero for total in books.totals)

    statement = Statement(account_id=cash, currency="KES", last_day=as_of, known_at=known_at)
    found, place = [], None
    while True:
        page = statement.page(size=7, place=place)
        found += [(line.transfer_id, line.balance_minor) for line in page.lines]
        if page.older is None:
            break
        place = page.older
    assert found == wanted[::-1]
