"""A bad posting among many is refused by itself, as if they were posted one after the other."""

from dataclasses import replace
from datetime import date
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_apps.access.actors import system_actor
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from tenant_apps.ledger.entries import Journal, Posting
from tenant_apps.ledger.models import FiscalPeriod, Transfer
from tenant_apps.ledger.selectors import funds_of
from tenant_apps.ledger.services import post, post_each
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting

pytestmark = pytest.mark.usefixtures("tenant")


def outcome(answer: Journal | DomainError) -> str:
    return "done" if isinstance(answer, Journal) else answer.code


def test_the_bad_ones_say_why_and_the_others_are_posted(actor: Actor) -> None:
    customer = uuid4()
    closed = FiscalPeriod.objects.order_by("starts_on").first()
    assert closed is not None
    FiscalPeriod.objects.filter(pk=closed.pk).update(state="closed")
    cash = posting("payment.received.cash", amount="10.00", party=customer)
    batch = [
        posting("payment.allocated", amount="1.00", party=customer),
        cash,
        posting("payment.allocated", amount="10.01", party=customer),
        replace(cash, effective_on=date(2026, 11, 3)),
        posting("no.such.rule", amount="1.00", party=customer),
        posting("payment.received.cash", amount="1.00", party=customer, day=closed.starts_on),
        posting("payment.allocated", amount="10.00", party=customer),
        posting("payment.allocated", amount="0.01", party=customer),
    ]
    assert [outcome(answer) for answer in post_each(postings=batch, actor=actor)] == [
        "below_floor",
        "done",
        "below_floor",
        "posting_mismatch",
        "unknown_posting_rule",
        "period_closed",
        "done",
        "below_floor",
    ]
    assert Transfer.objects.count() == 2
    assert verify().books_hold


def test_one_bad_one_among_a_thousand_costs_few_calls(actor: Actor) -> None:
    customer = uuid4()
    batch = [posting("payment.received.cash", amount="1.00", party=customer) for _ in range(1000)]
    batch[700] = replace(batch[700], rule="no.such.rule")
    with CaptureQueriesContext(connection) as queries:
        answers = post_each(postings=batch, actor=actor)
    assert [number for number, one in enumerate(answers) if outcome(one) != "done"] == [700]
    assert Transfer.objects.count() == 999
    assert len(queries) < 150


_BATCHES = st.lists(st.tuples(st.booleans(), st.integers(min_value=1, max_value=30)), max_size=24)


@settings(max_examples=30, deadline=None)
@given(batch=_BATCHES)
def test_it_is_as_if_they_came_one_after_the_other(batch: list[tuple[bool, int]]) -> None:
    actor = system_actor("test")

    def postings(customer: UUID) -> list[Posting]:
        return [
            posting(
                "payment.received.cash" if received else "payment.allocated",
                amount=f"{minor}.00",
                party=customer,
            )
            for received, minor in batch
        ]

    together, alone = uuid4(), uuid4()
    at_once = post_each(postings=postings(together), actor=actor)
    in_turn = []
    for one in postings(alone):
        try:
            with transaction.atomic():
                post(postings=[one], actor=actor)
            in_turn.append("done")
        except DomainError as refusal:
            in_turn.append(refusal.code)
    assert [outcome(answer) for answer in at_once] == in_turn
    assert _held(together) == _held(alone)


def _held(customer: UUID) -> int:
    return funds_of(account_code="2000", subledger_id=customer, currency="KES").posted.minor
