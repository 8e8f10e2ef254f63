"""A mixture of acts of money, done by many processes on the same few accounts.

Processor time decides how fast it goes: a service takes several milliseconds of it, the ledger's
call about one. So every kind goes through its service, but most acts through the call.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
import traceback
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import RawArray
from typing import Any
from uuid import UUID

from django.db import OperationalError, connection, transaction

from scripts.benchmarks.mixture_acts import (
    LINE,
    METHODS,
    ByCall,
    ByService,
    Held,
    Payment,
    Ways,
    an_actor,
    expiry,
    kes,
)
from shared_apps.access.actors import actor_for_user
from shared_apps.access.selectors import root_unit
from shared_apps.access.services import place_member
from shared_apps.accounts.services import create_user
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.ids import uuid7, uuid8_near
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger import services as ledger
from tenant_apps.wallets import services as wallets
from tenants.context import current_organization

PLACES = 8
LOCK_NOT_AVAILABLE, LOCK_TRIES = "55P03", 5
CREDIT, LIMIT, DEPOSIT = 200_00, 400_00, 30_00
# Of a thousand acts. Those of wallets are whole services, of up to fifty statements each.
SHARES = {
    "hold": 330, "refund": 290, "credit": 290, "transfer": 35, "sale": 20, "deposit": 10,
    "limit": 15, "expire": 5, "settle": 5,
}  # fmt: skip
# So many of the acts on the books go through the services, the others straight to the ledger's
# call; and so many of those payments come ten at once, as imports post them.
BY_SERVICE, IN_BATCHES, BATCH = 0.15, 0.05, 10
_REPORTED_EVERY = 10.0

Outcomes = Counter[tuple[str, str]]


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Whose accounts, lines and wallets everybody works on."""

    customers: tuple[UUID, ...]
    lines: tuple[UUID, ...]
    wallets: tuple[UUID, ...]
    sellers: tuple[str, ...]
    # Who approves deposits: a person, and not the one who asks.
    keeper: UUID
    day: date


@dataclass
class Storm:
    """What became of all acts: by kind and outcome, and how long each took, in seconds."""

    outcomes: Outcomes = field(default_factory=Counter)
    seconds: array[float] = field(default_factory=lambda: array("f"))
    # Transactions that were run again after a deadlock, and locks that were asked for again.
    repeated: int = 0
    waited: int = 0
    took: float = 0.0

    def add(self, other: Storm) -> None:
        self.outcomes.update(other.outcomes)
        self.seconds.extend(other.seconds)
        self.repeated += other.repeated
        self.waited += other.waited

    def quantile(self, share: float) -> float:
        """How long the slowest act of this share took; 0.99 leaves out one of a hundred."""
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0


def prepare() -> Ground:
    """Set the ground in the present organization."""
    actor = an_actor()
    day = clock.today(current_organization().time_zone)
    customers, lines = ([uuid7() for _ in range(PLACES)] for _ in range(2))
    with transaction.atomic():
        deposits = [
            Payment(source=uuid7(), customer=customer, cents=DEPOSIT, method=method)
            for customer in customers
            for method in METHODS
        ]
        ByService(day).pay(deposits)
        for line in lines:
            ledger.open_credit_line(subject_type=LINE, subject_id=line, currency="KES", actor=actor)
            _set_limit(line, LIMIT, uuid7(), day)
        wallets.add_operator(actor=actor, code="savanna", name="Savanna", prefixes=["+2547"])
        wallets.change_policy(actor=actor, transfers_allowed=True)
        keeper = create_user(email="keeper@storm.example", full_name="Keeper", actor=actor)
        place_member(actor=actor, user_id=keeper.pk, unit=root_unit(), role="wallet_admin")
        sellers = [
            wallets.add_seller(actor=actor, seller=wallets.NewSeller(name=f"Kiosk {number}"))
            for number in range(PLACES)
        ]
        opened = [
            wallets.open_wallet(actor=actor, seller_id=seller.pk, currency="KES")
            for seller in sellers
        ]
        approver = actor_for_user(user_id=keeper.pk)
        for wallet in opened:
            deposit = _ask_for_credit(wallet.pk, CREDIT, day)
            wallets.approve_deposit(actor=approver, deposit_id=deposit)
        # The other side of a capture is opened by the first one.
        for customer in customers:
            held = Held(id=uuid7(), customer=customer, cents=1)
            ByService(day).reserve(held)
            ByService(day).capture(held, 1)
    return Ground(
        customers=tuple(customers),
        lines=tuple(lines),
        wallets=tuple(wallet.pk for wallet in opened),
        sellers=tuple(seller.reference for seller in sellers),
        keeper=keeper.pk,
        day=day,
    )


def play(
    ground: Ground, *, workers: int, acts: int, progress: Callable[[str], None] | None = None
) -> Storm:
    """Let so many processes do so many acts each, each on a connection of its own."""
    calls = ByCall(ground.day, ground.customers)
    connection.close()
    fork = multiprocessing.get_context("fork")
    start, done = fork.Barrier(workers + 1), RawArray("i", workers)
    waiting: list[Any] = []
    children = []
    for number in range(workers):
        reader, writer = fork.Pipe(duplex=False)
        child = fork.Process(target=_child, args=(ground, calls, number, acts, start, done, writer))
        child.start()
        writer.close()
        waiting.append(reader)
        children.append(child)
    start.wait(120)
    started = told = time.monotonic()
    storm = Storm()
    while waiting:
        for ready in wait(waiting, timeout=1.0):
            assert isinstance(ready, Connection)
            waiting.remove(ready)
            storm.add(_answer_of(ready))
        if progress and time.monotonic() - told > _REPORTED_EVERY:
            told = time.monotonic()
            progress(f"{sum(done)} acts, {sum(done) / (told - started):.0f} a second")
    storm.took = time.monotonic() - started
    for child in children:
        child.join()
    return storm


def _answer_of(reader: Connection) -> Storm:
    try:
        answer: Storm = reader.recv()
    except EOFError:
        answer = Storm(Counter({("broken", "a process died"): 1}))
    return answer


def _child(
    ground: Ground, calls: ByCall, number: int, acts: int, start: Any, done: Any, results: Any
) -> None:
    try:
        # Whoever fails before the start would leave the others waiting for it.
        start.wait(120)
        worker = Worker(ground, random.Random(number), actor_for_user(user_id=ground.keeper), calls)
        for count in range(acts):
            worker.act()
            done[number] = count + 1
        results.send(worker.storm)
    except BaseException:
        results.send(Storm(Counter({("broken", traceback.format_exc()): 1})))
    finally:
        connection.close()
        os._exit(0)


class Worker:
    """One process: what it did, and what it may end later."""

    def __init__(self, ground: Ground, dice: random.Random, keeper: Actor, calls: ByCall) -> None:
        self.ground, self.dice, self.keeper = ground, dice, keeper
        self.services, self.calls = ByService(ground.day), calls
        self.storm = Storm()
        self.holds: list[Held] = []
        self.payments: list[Payment] = []
        self.credits: list[tuple[UUID, int]] = []

    @property
    def outcomes(self) -> Outcomes:
        return self.storm.outcomes

    def act(self) -> None:
        """Do something, and every tenth time the same again under the same id."""
        kind = self.dice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        started = time.monotonic()
        getattr(self, f"_{kind}")()
        self.storm.seconds.append(time.monotonic() - started)

    @property
    def _ways(self) -> Ways:
        return self.services if self.dice.random() < BY_SERVICE else self.calls

    def _attempt(
        self, kind: str, act: Callable[[], object], *, again: bool = True, rows: int = 1
    ) -> bool:
        """Whether it is done now; each try is whole, and a deadlock is tried again inside."""
        became = self._became(act)
        self.outcomes[kind, became] += rows
        if again and became == "done" and self.dice.random() < 0.1:
            self.outcomes[f"{kind} again", self._became(act)] += rows
        return became == "done"

    def _became(self, act: Callable[[], object]) -> str:
        """What became of one transaction: done, the code of its refusal, or what a caller must not
        see. A lock that was not got in time is asked for again, as the API's 409 advises."""

        def whole() -> None:
            with transaction.atomic():
                act()

        def count() -> None:
            self.storm.repeated += 1

        for _ in range(LOCK_TRIES):
            try:
                retrying(whole, rewind=count)
            except DomainError as refusal:
                return refusal.code
            except OperationalError as problem:
                sqlstate = getattr(problem.__cause__, "sqlstate", str(problem))
                if sqlstate != LOCK_NOT_AVAILABLE:
                    return f"sqlstate {sqlstate}"
                self.storm.waited += 1
            else:
                return "done"
        return f"sqlstate {LOCK_NOT_AVAILABLE}"

    def _beside(self, kind: str, act: Callable[[], object]) -> None:
        """Do what opens transactions of its own. What has to wait for long is left to the janitor,
        who comes again."""
        try:
            act()
        except OperationalError as problem:
            sqlstate = getattr(problem.__cause__, "sqlstate", str(problem))
            if sqlstate != LOCK_NOT_AVAILABLE:
                self.outcomes[kind, f"sqlstate {sqlstate}"] += 1
            self.storm.waited += 1

    def _hold(self) -> None:
        if self.holds and self.dice.random() < 0.5:
            self._end_hold(self.holds.pop(self.dice.randrange(len(self.holds))))
            return
        held = Held(
            id=uuid7(),
            customer=self.dice.choice(self.ground.customers),
            cents=self.dice.randint(1, 20_00),
            expires_at=expiry(self.dice.choice([None, 0, 3600])),
        )
        if self._attempt("reserve", partial(self._ways.reserve, held)):
            self.holds.append(held)

    def _end_hold(self, held: Held) -> None:
        if self.dice.random() < 0.4:
            self._attempt("release", partial(self._ways.release, held))
            return
        part = self.dice.randint(1, held.cents)
        self._attempt("capture", partial(self._ways.capture, held, part))

    def _refund(self) -> None:
        """A payment comes in, or one goes back by the opposite posting."""
        if self.payments and self.dice.random() < 0.5:
            payment = self.payments.pop(self.dice.randrange(len(self.payments)))
            refund = partial(self._ways.refund, payment)
            if self._attempt("refund", refund, again=False):
                # To the second who asks it is refused, and nothing moves.
                self.outcomes["refund again", self._became(refund)] += 1
            else:
                self.payments.append(payment)
            return
        count = BATCH if self.dice.random() < IN_BATCHES else 1
        paid = [self._payment() for _ in range(count)]
        if self._attempt("payment", partial(self._ways.pay, paid), rows=count):
            self.payments.extend(paid)

    def _payment(self) -> Payment:
        return Payment(
            source=uuid7(),
            customer=self.dice.choice(self.ground.customers),
            cents=self.dice.randint(1, 9_00),
            method=self.dice.choice(METHODS),
        )

    def _credit(self) -> None:
        if self.credits and self.dice.random() < 0.45:
            line, cents = self.credits.pop(self.dice.randrange(len(self.credits)))
            self._attempt("give back", partial(self._ways.change, uuid7(), line, -cents))
            return
        line, cents = self.dice.choice(self.ground.lines), self.dice.randint(1, 30_00)
        if self._attempt("use", partial(self._ways.change, uuid7(), line, cents)):
            self.credits.append((line, cents))

    def _limit(self) -> None:
        line, origin = self.dice.choice(self.ground.lines), uuid7()
        cents = self.dice.randint(LIMIT // 2, LIMIT * 2)
        self._attempt("limit", partial(_set_limit, line, cents, origin, self.ground.day))

    def _transfer(self) -> None:
        giver, taker = self.dice.sample(range(PLACES), 2)
        given = wallets.NewTransfer(
            wallet_id=self.ground.wallets[giver],
            to_seller=self.ground.sellers[taker],
            amount=kes(self.dice.randint(1, 300_00)),
        )
        give = partial(wallets.transfer_credit, actor=an_actor(), transfer=given)
        self._attempt("transfer", give, again=False)

    def _sale(self) -> None:
        sale_id = uuid7()
        sale = wallets.NewSale(
            id=sale_id,
            wallet_id=self.dice.choice(self.ground.wallets),
            phone="+254712345678",
            amount=kes(self.dice.randint(1, 5_00)),
        )
        place = partial(wallets.place_charge_sale, actor=an_actor(), sale=sale)
        if self._attempt("sale", place, again=False):
            deliver = partial(wallets.deliver_sale, sale_id=sale_id, actor=an_actor())
            for _ in range(1 + (self.dice.random() < 0.1)):
                self._beside("delivery", deliver)

    def _deposit(self) -> None:
        wallet, cents = self.dice.choice(self.ground.wallets), self.dice.randint(1, 40_00)
        asked: list[UUID] = []

        def ask() -> None:
            asked[:] = [_ask_for_credit(wallet, cents, self.ground.day)]

        if self._attempt("request", ask, again=False):
            approve = partial(wallets.approve_deposit, actor=self.keeper, deposit_id=asked[0])
            self._attempt("deposit", approve)

    def _expire(self) -> None:
        expire = partial(ledger.expire_holds, actor=an_actor(), limit=20)
        self._attempt("expire", expire, again=False)

    def _settle(self) -> None:
        self._beside("settling", partial(wallets.settle_due, actor=an_actor(), limit=5))


def _set_limit(line: UUID, cents: int, origin: UUID, day: date) -> None:
    ledger.set_credit_limit(
        id=uuid8_near(origin, "limit"),
        subject_type=LINE,
        subject_id=line,
        currency="KES",
        limit=kes(cents),
        effective_on=day,
        source_type="storm.decision",
        source_id=origin,
        actor=an_actor(),
    )


def _ask_for_credit(wallet: UUID, cents: int, day: date) -> UUID:
    deposit = wallets.NewDeposit(wallet_id=wallet, method="cash", amount=kes(cents), paid_on=day)
    asked: UUID = wallets.request_deposit(actor=an_actor(), deposit=deposit).pk
    return asked
