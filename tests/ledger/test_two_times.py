"""What was so on a day, as it was known at an instant: against a plain list of all transfers."""

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.errors import BelowFloor, InstantInFuture, InstantNotSettled
from tenant_apps.ledger.history import sizes
from tenant_apps.ledger.history.balances import balances_at
from tenant_apps.ledger.history.settling import settle
from tenant_apps.ledger.history.statements import Statement
from tenant_apps.ledger.models import Account, FoldedCredit, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import fold_waiting, post
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant")

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
CUSTOMER = UUID(int=7)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes at which a few transfers make blocks, segments and deep balances."""
    monkeypatch.setattr(sizes, "DEEP", 4)
    monkeypatch.setattr(sizes, "BLOCK", 2)
    monkeypatch.setattr(sizes, "SEGMENT", 3)


def account(code: str, subledger_id: UUID | None = None, currency: str = "KES") -> Account:
    found: Account = Account.objects.with_balance().get(
        code=code, subledger_id=subledger_id, currency=currency
    )
    return found


def held(code: str, subledger_id: UUID | None = None, **when: Any) -> int:
    found = account(code, subledger_id)
    return balances_at(account_ids=[found.id], **when).get(found.id, 0)


class TestTextbook:
    """An invoice of 1,000 on the 3rd; a payment of 400 on the 5th, entered on the 9th."""

    @pytest.fixture(autouse=True)
    def _story(self, tenant: Any, actor: Actor) -> Iterator[None]:
        with clock.frozen(datetime(2026, 11, 3, 9, tzinfo=UTC)) as now:
            post(postings=[self._sale()], actor=actor)
            settle()
            now.move_to(datetime(2026, 11, 9, 15, tzinfo=UTC))
            post(
                postings=[
                    posting(
                        "payment.received.cash",
                        amount="400.00",
                        party=CUSTOMER,
                        day=date(2026, 11, 5),
                    ),
                    posting(
                        "payment.allocated",
                        amount="400.00",
                        party=CUSTOMER,
                        day=date(2026, 11, 5),
                    ),
                ],
                actor=actor,
            )
            now.move_to(datetime(2026, 11, 9, 16, tzinfo=UTC))
            settle()
            now.move_to(datetime(2026, 11, 19, tzinfo=UTC))
            settle()
            now.move_to(datetime(2026, 11, 20, tzinfo=UTC))
            yield

    def _sale(self) -> Any:
        return posting(
            "invoice.issued", net="1000.00", tax="0.00", party=CUSTOMER, day=date(2026, 11, 3)
        )

    def receivable(self, **when: Any) -> int:
        return held("1200", CUSTOMER, **when)

    def test_by_effective_day_as_it_is_known_now(self) -> None:
        owed = {day: self.receivable(as_of=date(2026, 11, day)) for day in (2, 3, 4, 5, 9)}
        assert owed == {2: 0, 3: 1000_00, 4: 1000_00, 5: 600_00, 9: 600_00}

    def test_what_was_known_before_the_payment_was_entered_stays(self) -> None:
        before = datetime(2026, 11, 9, 14, 59, tzinfo=UTC)
        after = datetime(2026, 11, 9, 15, tzinfo=UTC)
        for day in (5, 9, 30):
            assert self.receivable(as_of=date(2026, 11, day), known_at=before) == 1000_00
            assert self.receivable(as_of=date(2026, 11, day), known_at=after) == 600_00
        assert self.receivable(as_of=date(2026, 11, 4), known_at=after) == 1000_00
        assert self.receivable(as_of=date(2026, 11, 2), known_at=after) == 0
        assert self.receivable(known_at=before) == 1000_00

    def test_the_trial_balance_of_a_day_as_it_was_known(self) -> None:
        day, before = date(2026, 11, 5), datetime(2026, 11, 8, tzinfo=UTC)
        then = trial_balance(as_of=day, known_at=before)
        assert [(row.code, row.debit.to_string(), row.credit.to_string()) for row in then.rows] == [
            ("1200", "1000.00", "0.00"),
            ("4000", "0.00", "1000.00"),
        ]
        now = trial_balance(as_of=day)
        assert [(row.code, row.debit.to_string(), row.credit.to_string()) for row in now.rows] == [
            ("1000", "400.00", "0.00"),
            ("1200", "600.00", "0.00"),
            ("4000", "0.00", "1000.00"),
        ]

    def test_what_is_to_take_effect_later_is_known_before(self, actor: Actor) -> None:
        post(
            postings=[
                posting(
                    "payment.received.cash", amount="5.00", party=CUSTOMER, day=date(2026, 12, 24)
                )
            ],
            actor=actor,
        )
        settle()
        assert held("1000", as_of=date(2026, 12, 23)) == 400_00
        assert held("1000", as_of=date(2026, 12, 24)) == 405_00
        assert held("1000", as_of=date(2026, 12, 23), known_at=clock.now()) == 400_00
        assert held("1000", as_of=date(2026, 12, 24), known_at=clock.now()) == 405_00


def _one_shilling(actor: Actor) -> None:
    post(postings=[posting("payment.received.cash", amount="1.00", party=CUSTOMER)], actor=actor)


def test_refuses_instants_that_are_not_settled(actor: Actor) -> None:
    with clock.frozen(NOON) as now:
        post(
            postings=[posting("payment.received.cash", amount="1.00", party=CUSTOMER)], actor=actor
        )
        with pytest.raises(InstantNotSettled):
            held("1000", known_at=NOON)
        settle()
        assert held("1000", known_at=NOON) == 100
        now.advance(seconds=1)
        with pytest.raises(InstantNotSettled) as refusal:
            held("1000", known_at=now.at)
        assert refusal.value.extra == {"settled_until": NOON.isoformat()}
        with pytest.raises(InstantInFuture):
            held("1000", known_at=now.at + timedelta(seconds=1))


def test_a_late_commit_does_not_change_what_was_known(actor: Actor) -> None:
    """Its instant lies before the settlement, which did not see it."""
    late = posting("payment.received.cash", amount="1.00", party=CUSTOMER)
    with clock.frozen(NOON) as now:
        settle()
        now.advance(seconds=-5)
        post(postings=[late], actor=actor)
        now.advance(seconds=65)
        settle()
        assert Transfer.objects.get().posted_at < NOON
        assert held("1000", known_at=NOON) == 0
        assert held("1000", known_at=NOON + timedelta(microseconds=1)) == 100


def test_settling_again_changes_nothing_but_the_horizon(actor: Actor) -> None:
    with clock.frozen(NOON) as now:
        post(
            postings=[posting("payment.received.cash", amount="1.00", party=CUSTOMER)], actor=actor
        )
        first = settle()
        now.advance(minutes=1)
        second = settle()
        assert first is not None
        assert second is not None
        assert (first.transfers, second.transfers) == (1, 0)
        assert second.until == first.until + timedelta(minutes=1)
        # A clock that went back: the horizon never does.
        now.advance(hours=-1)
        third = settle()
        assert third is not None
        assert third.until == second.until + timedelta(microseconds=1)


@dataclass(frozen=True)
class Fact:
    """A transfer as the plain model has it; `known_from` is set when it is settled."""

    id: UUID
    versions: tuple[int | None, int | None]
    debit: UUID
    credit: UUID
    amount: int
    currency: str
    effective_on: date
    posted_at: datetime
    known_from: datetime | None = None


class Model:
    """All transfers in a list."""

    def __init__(self) -> None:
        self.facts: list[Fact] = []
        self.read: set[UUID] = set()
        self.horizon: datetime | None = None

    def take(self) -> None:
        for row in Transfer.objects.exclude(id__in=self.read):
            self.read.add(row.id)
            self.facts.append(
                Fact(
                    row.id,
                    (row.debit_version, row.credit_version),
                    row.debit_account_id,
                    row.credit_account_id,
                    row.amount_minor,
                    row.currency,
                    row.effective_on,
                    row.posted_at,
                )
            )

    def count(self) -> None:
        """Credits that were counted later have their version by now."""
        later = dict(FoldedCredit.objects.values_list("transfer_id", "version"))
        self.facts = [
            replace(fact, versions=(fact.versions[0], later.get(fact.id, fact.versions[1])))
            for fact in self.facts
        ]

    def settled(self, until: datetime) -> None:
        since = datetime.min.replace(tzinfo=UTC)
        if self.horizon:
            since = self.horizon + timedelta(microseconds=1)
        self.facts = [
            fact
            if fact.known_from
            else replace(fact, known_from=min(max(fact.posted_at, since), until))
            for fact in self.facts
        ]
        self.horizon = until

    def that(self, as_of: date | None, known_at: datetime | None) -> Iterator[Fact]:
        for fact in self.facts:
            if known_at is not None and (fact.known_from is None or fact.known_from > known_at):
                continue
            if as_of is None or fact.effective_on <= as_of:
                yield fact

    def sums(self, as_of: date | None, known_at: datetime | None) -> dict[UUID, int]:
        """Debit-positive."""
        sums: dict[UUID, int] = defaultdict(int)
        for fact in self.that(as_of, known_at):
            sums[fact.debit] += fact.amount
            sums[fact.credit] -= fact.amount
        return sums

    def statement(
        self, row: Account, first: date | None, last: date | None, known_at: datetime | None
    ) -> list[tuple[UUID, int]]:
        """Newest first: transfer and balance after it."""
        found = []
        for fact in self.that(last, known_at):
            for side, sign in ((0, 1), (1, -1)):
                if row.id == (fact.debit, fact.credit)[side]:
                    change = sign * fact.amount * (1 if row.normal_side == "debit" else -1)
                    found.append((fact.effective_on, fact.versions[side], fact.id, change))
        balance, lines = 0, []
        for day, _, id_, change in sorted(found):
            balance += change
            if first is None or day >= first:
                lines.append((id_, balance))
        return lines[::-1]


class _Undone(Exception):
    """Ends an example and takes its rows with it."""


START = datetime(2026, 3, 1, 20, tzinfo=UTC)
RULES = ["payment.received.cash", "payment.received.card", "payment.allocated", "invoice.issued"]


@st.composite
def batches(draw: Any) -> list[tuple[str, int, int, int, str]]:
    """Rule, party, amount, days that it is backdated or ahead, currency."""
    one = st.tuples(
        st.sampled_from(RULES),
        st.integers(1, 2),
        st.integers(1, 900),
        st.one_of(st.just(0), st.just(0), st.integers(-9, 6)),
        st.sampled_from(["KES", "KES", "USD"]),
    )
    return draw(st.lists(one, min_size=1, max_size=7))


# What happens, and how many minutes later: postings, or a settlement.
stories = st.lists(
    st.tuples(
        st.one_of(batches(), batches(), st.none()),
        st.one_of(st.integers(0, 90), st.integers(-120, 2000)),
    ),
    min_size=3,
    max_size=14,
)


@settings(
    max_examples=30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=stories)
def test_every_pair_of_times_is_as_in_the_list(small: None, story: list[Any]) -> None:
    with pytest.raises(_Undone), transaction.atomic(), clock.frozen(START) as now:
        told = _tell(story, now)
        now.move_to(START + timedelta(days=200))
        _compare(told)
        done = settle()
        assert done is not None
        told.settled(done.until)
        _compare(told)
        assert verify().findings == ()
        raise _Undone


def _tell(story: list[Any], now: Any) -> Model:
    model, actor = Model(), system_actor("test")
    for happening, minutes in story:
        now.advance(minutes=minutes)
        if happening is None:
            model.take()
            done = settle()
            assert done is not None
            model.settled(done.until)
            continue
        day = now.at.date()
        drafts = [
            posting(
                rule,
                day=day + timedelta(days=shift),
                party=UUID(int=party),
                **(
                    {"net": Money(amount, currency), "tax": Money(1, currency)}
                    if rule == "invoice.issued"
                    else {"amount": Money(amount, currency)}
                ),
            )
            for rule, party, amount, shift, currency in happening
        ]
        for draft in drafts:
            try:
                with transaction.atomic():
                    post(postings=[draft], actor=actor)
            except BelowFloor:
                continue
    model.take()
    return model


def _compare(model: Model) -> None:
    accounts = {found.id: found for found in Account.objects.with_balance()}
    days = sorted({fact.effective_on for fact in model.facts})
    days = [*days, *(day - timedelta(days=1) for day in days[:2])]
    instants = sorted({fact.known_from for fact in model.facts if fact.known_from})
    instants = [at for at in instants if model.horizon and at <= model.horizon]
    instants += [at - timedelta(microseconds=1) for at in instants[:3]]
    for known_at in [None, *instants]:
        if known_at is not None and known_at > clock.now():
            continue
        for as_of in [None, *days]:
            sums = model.sums(as_of, known_at)
            found = balances_at(account_ids=accounts, as_of=as_of, known_at=known_at)
            for id_, row in accounts.items():
                sign = 1 if row.normal_side == "debit" else -1
                assert found.get(id_, 0) == sign * sums[id_], (row, as_of, known_at)
            books = trial_balance(as_of=as_of, known_at=known_at)
            assert all(total.difference.is_zero for total in books.totals)
            lines: dict[tuple[str, str], int] = defaultdict(int)
            for id_, row in accounts.items():
                lines[row.code, row.currency or ""] += sums[id_]
            assert {
                (row.code, row.currency): row.debit.minor - row.credit.minor for row in books.rows
            } == {key: value for key, value in lines.items() if value}
    dice = random.Random(len(model.facts))
    fold_waiting()
    model.count()
    for row in dice.sample(list(accounts.values()), min(2, len(accounts))):
        for _ in range(3):
            first, last = dice.choice([None, *days]), dice.choice([None, *days])
            _compare_statement(model, row, first, last, dice.choice([None, *instants]))


def _compare_statement(
    model: Model, row: Account, first: date | None, last: date | None, known_at: datetime | None
) -> None:
    wanted = model.statement(row, first, last, known_at)
    statement = Statement(
        account_id=row.id,
        currency=row.currency or "",
        first_day=first,
        last_day=last,
        known_at=known_at,
    )
    size = 1 + len(wanted) % 3
    pages, place = [], None
    while True:
        page = statement.page(size=size, place=place)
        pages.append([(line.transfer_id, line.balance_minor) for line in page.lines])
        if page.older is None:
            break
        place = page.older
    assert [line for page in pages for line in page] == wanted, (row, first, last, known_at)
    if wanted:
        assert page.closing.minor == wanted[0][1]
    if len(pages) > 1:
        for shown in pages[-2::-1]:
            assert page.newer is not None
            page = statement.page(size=size, place=page.newer)
            assert [(line.transfer_id, line.balance_minor) for line in page.lines] == shown
        assert page.newer is None
