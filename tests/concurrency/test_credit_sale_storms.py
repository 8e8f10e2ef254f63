"""Many processes sell on the same credit: no line passes its limit, no sale counts twice."""

import random
from collections import Counter
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from shared_apps.access.actors import system_actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger.entries import Posting
from tenant_apps.ledger.models import CreditLine, CreditLineEntry, Transfer
from tenant_apps.ledger.services import post_credit_sale
from tenant_apps.ledger.verification import verify
from tests.ledger.conftest import posting
from tests.ledger.test_credit_sales import a_line
from tests.storms import PROCESSES, storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_commits")]


def lines_of(limits: list[tuple[str, int]]) -> list[UUID]:
    with transaction.atomic():
        return [a_line(system_actor("test"), limit, rank=rank) for limit, rank in limits]


def sell(what: Posting, *lines: UUID) -> str:
    """As the API does: a lost race is repeated from the start."""

    def act() -> str:
        with transaction.atomic():
            sold = post_credit_sale(posting=what, line_ids=lines, actor=system_actor("test"))
        return "replayed" if sold.replayed else "sold"

    try:
        return retrying(act)
    except DomainError as refusal:
        return refusal.code


def sale(amount: str, party: UUID) -> Posting:
    return posting("invoice.issued", net=amount, tax="0.00", party=party)


def test_no_line_passes_its_limit() -> None:
    """Relationships of one supplier: each has its own limit, and all share the supplier's."""
    purchasers = lines_of([("60.00", 0)] * 4)
    supplier, *_ = lines_of([("150.00", 5)])
    parties = [uuid4() for _ in purchasers]

    def work(number: int) -> Counter[str]:
        ends: Counter[str] = Counter()
        for _ in range(30):
            which = random.randrange(len(purchasers))
            ends[sell(sale("1.00", parties[which]), supplier, purchasers[which])] += 1
        return ends

    ends = storm(work)
    assert set(ends) <= {"sold", "above_credit_limit"}
    used = {line.pk: line.used.minor for line in CreditLine.objects.all()}
    assert used[supplier] == 15000 == ends["sold"] * 100
    assert sum(used[line] for line in purchasers) == 15000
    assert all(used[line] <= 6000 for line in purchasers)
    assert CreditLineEntry.objects.filter(kind="use").count() == 2 * ends["sold"]
    assert Transfer.objects.filter(source_type="tests.document").count() == ends["sold"]
    result = verify()
    assert result.books_hold, result.findings


def test_the_same_sale_in_parallel_counts_once() -> None:
    # It is full with the last of them.
    line, *_ = lines_of([("26.00", 0)])
    party = uuid4()
    # Opening the account of a party would have them queue before the line is touched.
    assert sell(sale("1.00", party), line) == "sold"
    sales = [sale("1.00", party) for _ in range(25)]

    def work(_: int) -> Counter[str]:
        return Counter(sell(what, line) for what in sales)

    ends = storm(work)
    assert ends == {"sold": 25, "replayed": 25 * (PROCESSES - 1)}
    assert CreditLine.objects.get(pk=line).used.to_string() == "26.00"
    assert CreditLineEntry.objects.filter(kind="use").count() == 26
    result = verify()
    assert result.books_hold, result.findings
