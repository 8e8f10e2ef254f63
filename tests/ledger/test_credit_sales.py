"""A sale on credit is booked and counted on every line, in one call, or not at all."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_apps.access.actors import system_actor
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import uuid7, uuid8_near
from tenant_apps.ledger.entries import Journal, Posting
from tenant_apps.ledger.errors import (
    AboveLimit,
    PeriodIsClosed,
    PostingMismatch,
    UnknownCreditLine,
)
from tenant_apps.ledger.models import Account, CreditLine, CreditLineEntry, Transfer
from tenant_apps.ledger.services import (
    close_period,
    open_credit_line,
    open_fiscal_year,
    post,
    post_credit_sale,
    set_credit_limit,
    stripe_account,
)
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import kes, posting

pytestmark = pytest.mark.usefixtures("tenant")


def a_line(actor: Actor, limit: str | None, *, rank: int = 0, currency: str = "KES") -> UUID:
    subject, source = uuid4(), uuid7()
    place = {"subject_type": "tests.line", "subject_id": subject, "currency": currency}
    line_id = open_credit_line(actor=actor, lock_rank=rank, **place)
    if limit is not None:
        set_credit_limit(
            id=uuid8_near(source, "limit"),
            limit=kes(limit),
            effective_on=date(2026, 11, 2),
            source_type="tests.decision",
            source_id=source,
            actor=actor,
            **place,
        )
    return line_id


def sale(amount: str, *, source: UUID | None = None, party: UUID | None = None) -> Posting:
    return posting("invoice.issued", net=amount, tax="0.00", party=party or uuid4(), source=source)


def sold(actor: Actor, what: Posting, *lines: UUID) -> Journal:
    with transaction.atomic():
        return post_credit_sale(posting=what, line_ids=lines, actor=actor)


def used(line_id: UUID) -> str:
    return CreditLine.objects.get(pk=line_id).used.to_string()


@pytest.fixture
def lines(actor: Actor) -> list[UUID]:
    """Of a relationship (100.00), its purchaser (150.00) and its supplier (120.00, locked late)."""
    limits = (("100.00", 0), ("150.00", 0), ("120.00", 5))
    return [a_line(actor, limit, rank=rank) for limit, rank in limits]


def test_books_once_and_counts_on_each_line(
    actor: Actor, lines: list[UUID], balance: Callable[..., str]
) -> None:
    party = uuid4()
    journal = sold(actor, sale("60.00", party=party), *lines)
    assert [leg.amount for leg in journal.legs] == [kes("60.00")]
    assert balance("1200", party) == "60.00"
    assert [used(line) for line in lines] == ["60.00"] * 3
    entries = CreditLineEntry.objects.of_source(journal.source_id)
    assert {entry.line_id for entry in entries} == set(lines)
    assert {(entry.kind, entry.used_by, entry.used) for entry in entries} == {
        ("use", kes("60.00"), kes("60.00"))
    }
    assert verify().books_hold


@pytest.mark.parametrize("narrow", [0, 1, 2])
def test_the_narrowest_limit_refuses_it_whole(
    actor: Actor, narrow: int, balance: Callable[..., str]
) -> None:
    three = [a_line(actor, "50.00" if number == narrow else "80.00") for number in range(3)]
    party = uuid4()
    with pytest.raises(AboveLimit):
        sold(actor, sale("50.01", party=party), *three)
    assert [used(line) for line in three] == ["0.00"] * 3
    assert not Transfer.objects.filter(source_type="tests.document").exists()
    assert balance("1200", party) == "0.00"
    sold(actor, sale("50.00", party=party), *three)
    assert [used(line) for line in three] == ["50.00"] * 3


def test_a_line_without_a_limit_only_counts(actor: Actor) -> None:
    line = a_line(actor, None)
    sold(actor, sale("1000000.00"), line)
    assert used(line) == "1000000.00"


def test_the_same_sale_again_counts_once(actor: Actor, lines: list[UUID]) -> None:
    what = sale("60.00")
    first = sold(actor, what, *lines)
    again = sold(actor, what, *lines)
    assert not first.replayed
    assert again.replayed
    assert [leg.transfer_id for leg in again.legs] == [leg.transfer_id for leg in first.legs]
    assert [used(line) for line in lines] == ["60.00"] * 3


def test_the_same_source_with_other_lines_is_refused(actor: Actor, lines: list[UUID]) -> None:
    what = sale("60.00")
    sold(actor, what, lines[0])
    for others in (lines, lines[1:]):
        with pytest.raises(PostingMismatch):
            sold(actor, what, *others)
    assert [used(line) for line in lines] == ["60.00", "0.00", "0.00"]


def test_what_was_posted_without_credit_is_no_sale_on_credit(
    actor: Actor, lines: list[UUID]
) -> None:
    what = sale("60.00")
    post(postings=[what], actor=actor)
    with pytest.raises(PostingMismatch):
        sold(actor, what, *lines)
    assert [used(line) for line in lines] == ["0.00"] * 3


def test_refuses_a_sale_on_no_line(actor: Actor) -> None:
    with pytest.raises(UnknownCreditLine):
        sold(actor, sale("1.00"))
    assert not Transfer.objects.filter(source_type="tests.document").exists()


def test_the_same_source_with_another_amount_is_refused(actor: Actor, lines: list[UUID]) -> None:
    what = sale("60.00")
    sold(actor, what, *lines)
    (party,) = what.subledgers.values()
    with pytest.raises(PostingMismatch):
        sold(actor, sale("10.00", source=what.source_id, party=party), *lines)
    assert [used(line) for line in lines] == ["60.00"] * 3


def test_a_refused_booking_gives_the_credit_back(actor: Actor, lines: list[UUID]) -> None:
    with clock.frozen(datetime(2031, 11, 20, 9, tzinfo=UTC)):
        october = open_fiscal_year(actor=actor, fiscal_year=2031)[9]
        close_period(actor=actor, period_id=october.id)
    day, party = october.ends_on, uuid4()
    with pytest.raises(PeriodIsClosed):
        sold(actor, posting("invoice.issued", day=day, net="1.00", tax="0.00", party=party), *lines)
    assert [used(line) for line in lines] == ["0.00"] * 3
    assert CreditLineEntry.objects.filter(kind="use").count() == 0


def test_refuses_what_is_no_line_of_this_currency(actor: Actor, lines: list[UUID]) -> None:
    for strange in (uuid4(), a_line(actor, None, currency="USD")):
        with pytest.raises(UnknownCreditLine):
            sold(actor, sale("1.00"), *lines, strange)
    assert [used(line) for line in lines] == ["0.00"] * 3
    assert not Transfer.objects.filter(source_type="tests.document").exists()


def test_refuses_what_makes_two_transfers_or_none(actor: Actor, lines: list[UUID]) -> None:
    for net, tax in (("1.00", "0.16"), ("0.00", "0.00")):
        with pytest.raises(BadInput):
            sold(actor, posting("invoice.issued", net=net, tax=tax, party=uuid4()), *lines)
    assert [used(line) for line in lines] == ["0.00"] * 3


def test_spreads_over_the_stripes_of_what_it_credits(actor: Actor, lines: list[UUID]) -> None:
    revenue = Account.objects.chart().get(code="4000")
    stripe_account(actor=actor, account_id=revenue.id, stripes=8)
    for _ in range(20):
        sold(actor, sale("1.00"), *lines)
    assert [used(line) for line in lines] == ["20.00"] * 3
    assert verify().books_hold


@settings(max_examples=30, deadline=None)
@given(
    limits=st.lists(st.integers(0, 40), min_size=1, max_size=4),
    amounts=st.lists(st.integers(1, 25), max_size=12),
)
def test_is_what_counting_by_hand_gives(limits: list[int], amounts: list[int]) -> None:
    actor = system_actor("test")
    with transaction.atomic():
        lines = [a_line(actor, f"{limit}.00") for limit in limits]
        total = 0
        for amount in amounts:
            if total + amount <= min(limits):
                sold(actor, sale(f"{amount}.00"), *lines)
                total += amount
            else:
                with pytest.raises(AboveLimit):
                    sold(actor, sale(f"{amount}.00"), *lines)
        assert [used(line) for line in lines] == [f"{total}.00"] * len(lines)
        transaction.set_rollback(True)
