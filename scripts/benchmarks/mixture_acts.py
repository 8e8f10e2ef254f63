"""Two ways to do the same act of money: the product's services, and the ledger's call beneath them.

The call is what the services end in (`tenant_apps.ledger.database`): the same functions in the
schema, the same locks, on Django's connection. It leaves out what a service reads before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import request_hash, uuid8_near
from shared_apps.kernel.money import Money
from tenant_apps.ledger import credit_database, database
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.entries import Leg, Outcome
from tenant_apps.ledger.errors import AlreadyReversed
from tenant_apps.ledger.needed import NeededAccounts, credit_line_id_of
from tenant_apps.ledger.services.postings import drafts_of
from tenants.context import organization_id

METHODS = ("cash", "card", "cheque")
SOURCE, LINE = "storm.act", "storm.client"


def kes(cents: int) -> Money:
    return Money(cents, "KES")


def an_actor() -> Actor:
    return system_actor("storm", quiet=True)


@dataclass(frozen=True, kw_only=True)
class Payment:
    """A customer's payment; `source` makes it repeatable."""

    source: UUID
    customer: UUID
    cents: int
    method: str


@dataclass(frozen=True, kw_only=True)
class Held:
    """Funds of a customer that are to be held."""

    id: UUID
    customer: UUID
    cents: int
    expires_at: datetime | None = None

    @property
    def hold_id(self) -> UUID:
        return uuid8_near(self.id, "hold")

    def request(self) -> ledger.HoldRequest:
        return ledger.HoldRequest(
            id=self.hold_id,
            account_code="2000",
            subledger_id=self.customer,
            amount=kes(self.cents),
            source_type=SOURCE,
            source_id=self.id,
            expires_at=self.expires_at,
        )


def expiry(seconds: int | None) -> datetime | None:
    return None if seconds is None else clock.now() + timedelta(seconds=seconds)


def a_posting(rule: str, source: UUID, cents: int, customer: UUID, day: date) -> ledger.Posting:
    return ledger.Posting(
        rule=rule,
        source_type=SOURCE,
        source_id=source,
        amounts={"amount": kes(cents)},
        subledgers={"party": customer},
        effective_on=day,
    )


def a_change(origin: UUID, line: UUID, cents: int, day: date) -> ledger.CreditChange:
    return ledger.CreditChange(
        id=uuid8_near(origin, "change"),
        subject_type=LINE,
        subject_id=line,
        kind="use" if cents > 0 else "return",
        used=kes(cents),
        held=kes(0),
        effective_on=day,
        source_type=SOURCE,
        source_id=origin,
    )


class Ways(Protocol):
    """How a worker does its acts on the books. Each is done within the caller's transaction."""

    def pay(self, payments: Sequence[Payment]) -> object: ...
    def refund(self, payment: Payment) -> object: ...
    def reserve(self, held: Held) -> object: ...
    def capture(self, held: Held, cents: int) -> object: ...
    def release(self, held: Held) -> object: ...
    def change(self, origin: UUID, line: UUID, cents: int) -> object: ...


class ByService:
    """As every app of the product does it."""

    def __init__(self, day: date) -> None:
        self.day = day

    def pay(self, payments: Sequence[Payment]) -> object:
        postings = [
            a_posting(
                f"payment.received.{one.method}", one.source, one.cents, one.customer, self.day
            )
            for one in payments
        ]
        return ledger.post(postings=postings, actor=an_actor())

    def refund(self, payment: Payment) -> object:
        undone = ledger.Reversal(
            source_type=SOURCE, source_id=payment.source, effective_on=self.day
        )
        return ledger.reverse(reversals=[undone], actor=an_actor())

    def reserve(self, held: Held) -> object:
        return ledger.reserve(holds=[held.request()], actor=an_actor())

    def capture(self, held: Held, cents: int) -> object:
        posting = a_posting("payment.allocated", held.id, cents, held.customer, self.day)
        return ledger.capture(hold_id=held.hold_id, posting=posting, actor=an_actor())

    def release(self, held: Held) -> object:
        return ledger.release(hold_id=held.hold_id, actor=an_actor())

    def change(self, origin: UUID, line: UUID, cents: int) -> object:
        return ledger.change_credit(
            changes=[a_change(origin, line, cents, self.day)], actor=an_actor()
        )


class ByCall:
    """By the ledger's call alone, with accounts and ranks that were read once before."""

    def __init__(self, day: date, customers: Sequence[UUID]) -> None:
        self.day = day
        self._legs = {
            (rule, customer): _leg_of(rule, customer, day)
            for customer in customers
            for rule in ("payment.allocated", *(f"payment.received.{name}" for name in METHODS))
        }

    def pay(self, payments: Sequence[Payment]) -> object:
        return self._post([self._paid(one) for one in payments])

    def refund(self, payment: Payment) -> object:
        paid = self._paid(payment)
        undone = replace(
            paid,
            id=uuid8_near(payment.source, "undone leg"),
            request_hash=_digest("undone", paid.id),
            journal_id=uuid8_near(payment.source, "undone"),
            kind="reversal",
            reverses_id=paid.id,
            debit_account_id=paid.credit_account_id,
            debit_rank=paid.credit_rank,
            credit_account_id=paid.debit_account_id,
            credit_rank=paid.debit_rank,
        )
        (outcome,) = self._post([undone]).values()
        if outcome.replayed:
            raise AlreadyReversed
        return outcome

    def reserve(self, held: Held) -> object:
        request = held.request()
        return database.reserve(
            request=request,
            account_id=self._legs["payment.allocated", held.customer].debit_account_id,
            request_hash=_digest("held", held.id, held.cents),
            reserved_at=clock.now(),
            actor_id=None,
        )

    def capture(self, held: Held, cents: int) -> object:
        leg = self._leg("payment.allocated", held.id, held.customer, cents)
        accounts = [leg.debit_account_id, leg.credit_account_id]
        database.lock_holds(hold_ids=[held.hold_id], account_ids=accounts)
        self._close(held, cents, journal=leg.journal_id)
        return self._post([leg])

    def release(self, held: Held) -> object:
        database.lock_holds(hold_ids=[held.hold_id])
        return self._close(held, 0, journal=None)

    def change(self, origin: UUID, line: UUID, cents: int) -> object:
        return credit_database.change_credit_line(
            change=a_change(origin, line, cents, self.day),
            line_id=credit_line_id_of(subject_type=LINE, subject_id=line, currency="KES"),
            limit_minor=None,
            request_hash=_digest("change", origin, cents),
            recorded_at=clock.now(),
            actor_id=None,
        )

    def _close(self, held: Held, cents: int, *, journal: UUID | None) -> object:
        return database.close_hold(
            hold_id=held.hold_id,
            captured_minor=cents,
            journal_id=journal,
            rest="release",
            recorded_at=clock.now(),
            actor_id=None,
        )

    def _paid(self, payment: Payment) -> Leg:
        rule = f"payment.received.{payment.method}"
        return self._leg(rule, payment.source, payment.customer, payment.cents)

    def _leg(self, rule: str, source: UUID, customer: UUID, cents: int) -> Leg:
        return replace(
            self._legs[rule, customer],
            id=uuid8_near(source, organization_id(), SOURCE, source, rule, 1),
            request_hash=_digest(rule, source, cents),
            journal_id=uuid8_near(source, organization_id(), "journal", SOURCE, source, rule),
            amount=kes(cents),
            source_id=source,
        )

    def _post(self, legs: Sequence[Leg]) -> dict[UUID, Outcome]:
        return database.post_legs(legs=legs, posted_at=clock.now(), actor_id=None)


def _leg_of(rule: str, customer: UUID, day: date) -> Leg:
    """A leg as the rule makes it, to be copied."""
    posting = a_posting(rule, customer, 1, customer, day)
    (draft,) = drafts_of(postings=[posting], needed=NeededAccounts())
    (leg,) = draft.legs
    return leg


def _digest(*parts: str | int | UUID) -> bytes:
    return bytes.fromhex(request_hash({"parts": [str(part) for part in parts]}))
