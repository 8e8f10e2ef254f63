"""Whatever is posted, in whatever order: the books are even and balances are sums."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared_apps.access.actors import system_actor
from shared_apps.kernel.money import Money
from tenant_apps.ledger.errors import BelowFloor, NothingToReverse
from tenant_apps.ledger.models import Balance, Transfer
from tenant_apps.ledger.selectors import trial_balance
from tenant_apps.ledger.services import Posting, Reversal, post, reverse
from tenant_apps.ledger.verification import verify

pytestmark = pytest.mark.usefixtures("tenant")

PEOPLE = [UUID(int=number) for number in range(1, 4)]
START = date(2026, 1, 1)
RULES = {
    "invoice.issued": ("net", "tax"),
    "payment.received.cash": ("amount",),
    "payment.received.mobile_money": ("amount",),
    "payment.allocated": ("amount",),
    "commission.accrued": ("amount",),
}

amounts = st.one_of(st.just(0), st.integers(1, 500), st.integers(1, 10**12))


@st.composite
def postings(draw: Any) -> Posting:
    rule = draw(st.sampled_from(sorted(RULES)))
    currency = draw(st.sampled_from(["KES", "USD", "JPY"]))
    return Posting(
        rule=rule,
        source_type="tests.document",
        source_id=draw(st.uuids()),
        amounts={name: Money(draw(amounts), currency) for name in RULES[rule]},
        subledgers={kind: draw(st.sampled_from(PEOPLE)) for kind in ("party", "user")},
        effective_on=START + timedelta(days=draw(st.integers(0, 300))),
    )


# A step of a story: a batch to post, or the number of an earlier batch's posting to undo.
steps = st.lists(
    st.one_of(st.lists(postings(), min_size=1, max_size=6), st.integers(0, 20)), max_size=8
)


class _Undone(Exception):
    """Ends an example and takes its rows with it."""


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=steps)
def test_books_are_even_after_any_story(story: list[list[Posting] | int]) -> None:
    with pytest.raises(_Undone), transaction.atomic():
        _tell(story)
        _check_sums()
        assert verify().findings == ()
        for day in (START + timedelta(days=100), None):
            books = trial_balance(as_of=day)
            assert all(total.difference.is_zero for total in books.totals)
        assert trial_balance(as_of=date(2030, 1, 1)).rows == trial_balance().rows
        raise _Undone


def _tell(story: list[list[Posting] | int]) -> None:
    actor = system_actor("test")
    done: list[Posting] = []
    for step in story:
        try:
            with transaction.atomic():
                if isinstance(step, list):
                    post(postings=step, actor=actor)
                    done += step
                elif step < len(done):
                    undone = done.pop(step)
                    reverse(reversals=[_undo(undone)], actor=actor)
        except (BelowFloor, NothingToReverse):
            # A deposit would be overdrawn, or every amount was zero: all stays as it was.
            continue


def _undo(posting: Posting) -> Reversal:
    return Reversal(
        source_type=posting.source_type,
        source_id=posting.source_id,
        effective_on=posting.effective_on,
    )


def _check_sums() -> None:
    sums: dict[UUID, int] = defaultdict(int)
    for row in Transfer.objects.all():
        sums[row.debit_account_id] += row.amount_minor
        sums[row.credit_account_id] -= row.amount_minor
    for balance in Balance.objects.select_related("account"):
        sign = 1 if balance.account.normal_side == "debit" else -1
        assert balance.holds == sign * sums[balance.account_id]
        assert balance.floor is None or balance.posted >= balance.floor
