"""All operations on the books in any order, beside a model that knows nothing of databases.

The model keeps two numbers for each customer: what they have put down and what of it is held; and
what was sold, whose revenue is counted later. It says beforehand what is refused; afterwards books,
holds, entries and statements agree with it.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.money import Money
from tenant_apps.ledger import folding
from tenant_apps.ledger.entries import HoldRequest, Posting, Reversal
from tenant_apps.ledger.folding import credited_later, fold_waiting, is_waiting
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.models import Account, Balance, Hold
from tenant_apps.ledger.selectors import account_statement, balance_of, funds_of, trial_balance
from tenant_apps.ledger.services import (
    capture,
    expire_holds,
    post,
    release,
    reserve,
    reverse,
    set_deferral,
)
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant")

AMOUNTS = st.integers(min_value=1, max_value=500)
CUSTOMERS = st.sampled_from(range(2))
DAY = date(2026, 11, 2)


@dataclass
class Customer:
    id: UUID = field(default_factory=uuid4)
    posted: int = 0
    held: int = 0


@dataclass
class Held:
    request: HoldRequest
    owner: int
    left: int
    expires: bool
    state: str = "open"


class Books(RuleBasedStateMachine):
    done = Bundle("done")
    holds = Bundle("holds")

    @initialize()
    def begin(self) -> None:
        self.actor = system_actor("test")
        self.customers = [Customer() for _ in range(2)]
        self.held: dict[UUID, Held] = {}
        self.revenue = 0
        self.sold: dict[UUID, int] = {}
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.count_revenue(later=True)
        for owner, customer in enumerate(self.customers):
            paid = self.posting_of("payment.received.cash", owner, 1000)
            assert self.tried(post, postings=[paid]) == "done"
            customer.posted = 1000

    def teardown(self) -> None:
        if hasattr(self, "atomic"):
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    def tried(self, act: Any, **arguments: Any) -> str:
        try:
            with transaction.atomic():
                act(actor=self.actor, **arguments)
        except DomainError as refusal:
            return refusal.code
        return "done"

    def posting_of(self, name: str, owner: int, amount: int) -> Posting:
        money = Money(amount, "KES")
        return posting(name, amount=money, party=self.customers[owner].id, source=uuid7())

    @rule(target=done, owner=CUSTOMERS, amount=AMOUNTS)
    def pay_in(self, owner: int, amount: int) -> tuple[Posting, int, int]:
        paid = self.posting_of("payment.received.cash", owner, amount)
        assert self.tried(post, postings=[paid]) == "done"
        self.customers[owner].posted += amount
        return paid, owner, amount

    @rule(target=done, owner=CUSTOMERS, amounts=st.lists(AMOUNTS, min_size=1, max_size=4))
    def spend(self, owner: int, amounts: list[int]) -> Any:
        customer = self.customers[owner]
        batch = [self.posting_of("payment.allocated", owner, amount) for amount in amounts]
        fits = sum(amounts) <= customer.posted - customer.held
        assert self.tried(post, postings=batch) == ("done" if fits else "below_floor")
        if not fits:
            return multiple()
        customer.posted -= sum(amounts)
        return multiple(
            *((one, owner, -amount) for one, amount in zip(batch, amounts, strict=True))
        )

    @rule(later=st.booleans())
    def count_revenue(self, later: bool) -> None:
        line = Account.objects.chart().get(code="4000")
        set_deferral(actor=self.actor, account_id=line.id, deferred=later)

    @rule(target=done, owner=CUSTOMERS, amounts=st.lists(AMOUNTS, min_size=1, max_size=4))
    def sell(self, owner: int, amounts: list[int]) -> Any:
        party, tax = self.customers[owner].id, Money(1, "KES")
        batch = [
            posting(
                "invoice.issued", net=Money(amount, "KES"), tax=tax, party=party, source=uuid7()
            )
            for amount in amounts
        ]
        assert self.tried(post, postings=batch) == "done"
        self.revenue += sum(amounts)
        self.sold |= {one.source_id: amount for one, amount in zip(batch, amounts, strict=True)}
        return multiple(*((one, owner, 0) for one in batch))

    @rule(most=st.integers(min_value=1, max_value=3))
    def count_some(self, most: int) -> None:
        for account_id in credited_later():
            assert folding.fold(account_id=account_id, limit=most) <= most

    @rule()
    def count_all(self) -> None:
        assert fold_waiting() >= 0
        assert not is_waiting()

    @rule()
    def settle_the_past(self) -> None:
        assert settle() is not None

    @rule(again=done)
    def repeat(self, again: tuple[Posting, int, int]) -> None:
        assert self.tried(post, postings=[again[0]]) == "done"

    @rule(undone=consumes(done), twice=st.booleans())
    def undo(self, undone: tuple[Posting, int, int], twice: bool) -> None:
        original, owner, change = undone
        customer = self.customers[owner]
        back = Reversal(
            source_type=original.source_type,
            source_id=original.source_id,
            effective_on=DAY + timedelta(days=1),
        )
        fits = customer.posted - change - customer.held >= 0
        assert self.tried(reverse, reversals=[back]) == ("done" if fits else "below_floor")
        if fits:
            customer.posted -= change
            self.revenue -= self.sold.get(original.source_id, 0)
            if twice:
                assert self.tried(reverse, reversals=[back]) == "already_reversed"

    @rule(target=holds, owner=CUSTOMERS, amount=AMOUNTS, expires=st.booleans())
    def keep(self, owner: int, amount: int, expires: bool) -> Any:
        customer, source = self.customers[owner], uuid7()
        request = HoldRequest(
            id=uuid8_near(source, "hold"),
            account_code="2000",
            subledger_id=customer.id,
            amount=Money(amount, "KES"),
            source_type="tests.document",
            source_id=source,
            expires_at=clock.now() if expires else None,
        )
        fits = amount <= customer.posted - customer.held
        assert self.tried(reserve, holds=[request]) == ("done" if fits else "below_floor")
        if not fits:
            return multiple()
        customer.held += amount
        self.held[request.id] = Held(request, owner, amount, expires)
        return request.id

    @rule(id_=holds)
    def keep_again(self, id_: UUID) -> None:
        assert self.tried(reserve, holds=[self.held[id_].request]) == "done"

    @rule(id_=holds, quarters=st.integers(min_value=1, max_value=5), rest=st.booleans())
    def take(self, id_: UUID, quarters: int, rest: bool) -> None:
        held = self.held[id_]
        customer = self.customers[held.owner]
        amount = max(1, held.left * quarters // 4)
        part = self.posting_of("payment.allocated", held.owner, amount)
        expected = (
            "hold_closed"
            if held.state != "open"
            else "hold_exceeded"
            if amount > held.left
            else "done"
        )
        found = self.tried(capture, hold_id=id_, posting=part, release_rest=rest)
        assert found == expected
        if found == "done":
            customer.posted -= amount
            customer.held -= held.left if rest else amount
            held.left = 0 if rest else held.left - amount
            held.state = "open" if held.left else "captured"
            # A hold from which something was taken ends as captured, whatever becomes of the rest.
            held.expires = held.expires and held.state == "open"

    @rule(id_=holds)
    def give_back(self, id_: UUID) -> None:
        held = self.held[id_]
        closed = held.state not in {"open", "released"}
        assert self.tried(release, hold_id=id_) == ("hold_closed" if closed else "done")
        self._end(held, "released")

    @rule()
    def sweep(self) -> None:
        due = [held for held in self.held.values() if held.expires and held.state == "open"]
        assert expire_holds(actor=self.actor) == len(due)
        for held in due:
            self._end(held, "expired")

    def _end(self, held: Held, state: str) -> None:
        if held.state == "open":
            self.customers[held.owner].held -= held.left
            taken = held.request.amount.minor > held.left
            held.state, held.left = ("captured" if taken else state), 0

    @invariant()
    def the_books_agree_with_the_model(self) -> None:
        if not hasattr(self, "customers"):
            return
        for customer in self.customers:
            funds = funds_of(account_code="2000", subledger_id=customer.id, currency="KES")
            assert (funds.posted.minor, funds.held.minor) == (customer.posted, customer.held)
        sold = balance_of(account_code="4000", currency="KES")
        assert sold.minor == self.revenue
        states = dict(Hold.objects.values_list("pk", "state"))
        assert states == {id_: held.state for id_, held in self.held.items()}

    @invariant()
    def the_books_hold(self) -> None:
        if not hasattr(self, "customers"):
            return
        assert verify().findings == ()
        assert all(total.difference.is_zero for total in trial_balance().totals)
        for balance in Balance.objects.exclude(version=0):
            newest = account_statement(account_id=balance.account_id).first()
            assert newest is not None
            assert (newest.version, newest.balance_minor) == (balance.version, balance.posted)


def _run(*, stories: int) -> None:
    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=stories,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_any_operations_in_any_order() -> None:
    _run(stories=8)


@pytest.mark.slow
def test_many_more_operations_in_any_order() -> None:
    _run(stories=40)
