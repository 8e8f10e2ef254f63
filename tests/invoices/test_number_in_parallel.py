"""Invoice numbers have no gap, whoever works at the same time ..."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from tenant_apps.deals.models import Deal
from tenant_apps.deals.services import DealWin, record_deals, win_deals
from tenant_apps.invoices.models import Invoice, InvoiceCounter
from tenant_apps.parties.models import Party
from tenants.context import tenant_context
from tests.cast import Cast, assemble
from tests.deals.stories import a_client, new_deal

AT_ONCE = 8


class Rolled(Exception):
    """Something failed after the invoices were numbered."""


def in_threads(organization: Any, acts: list[Callable[[], Any]]) -> list[Any]:
    """Run the acts on threads of their own, all starting together; answers or their errors."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            with tenant_context(organization):
                start.wait(timeout=30)
                return act()
        except (Rolled, OperationalError) as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def open_deals(cast: Cast, client: Party, count: int) -> list[Deal]:
    return record_deals(
        actor=cast.system, deals=[new_deal(cast, client_id=client.pk) for _ in range(count)]
    )


def sequences(year: int) -> list[int]:
    return list(
        Invoice.objects.filter(year=year).order_by("sequence").values_list("sequence", flat=True)
    )


@pytest.mark.slow
def test_when_single_wins_and_batches_meet_and_every_third_fails(real_commits: Any) -> None:
    cast = assemble()
    client = a_client(cast)
    sizes = [1, 7, 1, 20, 1, 3, 11, 1] * 3
    batches = [open_deals(cast, client, size) for size in sizes]

    def winner(number: int) -> Callable[[], str]:
        def act() -> str:
            with transaction.atomic():
                win_deals(
                    actor=cast.system,
                    wins=[
                        # Two years at once, in opposite orders: the counters still queue.
                        DealWin(
                            deal_id=deal.pk,
                            closed_on=date(2025 + (place + number) % 2, 1, 1 + place),
                        )
                        for place, deal in enumerate(batches[number])
                    ],
                )
                if number % 3 == 2:
                    raise Rolled
            return "won"

        return act

    answers: list[Any] = []
    for first in range(0, len(batches), AT_ONCE):
        acts = [winner(number) for number in range(first, first + AT_ONCE)]
        answers += in_threads(real_commits, acts)

    won = sum(size for size, answer in zip(sizes, answers, strict=True) if answer == "won")
    assert not [answer for answer in answers if isinstance(answer, OperationalError)]
    assert Invoice.objects.count() == Deal.objects.won().count() == won
    for year in (2025, 2026):
        found = sequences(year)
        assert found == list(range(1, len(found) + 1))
        assert InvoiceCounter.objects.get(year=year).last_number == len(found)


@pytest.mark.slow
def test_one_deal_won_by_all_at_once_has_one_invoice(real_commits: Any) -> None:
    from tenant_apps.deals.errors import StageNotReachable

    cast = assemble()
    deal = open_deals(cast, a_client(cast), 1)[0]

    def act() -> str:
        try:
            win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)])
        except StageNotReachable:
            return "too late"
        return "won"

    answers = in_threads(real_commits, [act] * AT_ONCE)

    assert sorted(answers) == ["too late"] * (AT_ONCE - 1) + ["won"]
    assert Invoice.objects.count() == 1


@pytest.mark.slow
def test_overlapping_batches_in_opposite_orders_do_not_deadlock(real_commits: Any) -> None:
    from tenant_apps.deals.errors import StageNotReachable

    cast = assemble()
    deals = open_deals(cast, a_client(cast), 30)

    def winner(order: list[Deal]) -> Callable[[], str]:
        def act() -> str:
            try:
                win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in order])
            except StageNotReachable:
                return "too late"
            return "won"

        return act

    answers = in_threads(
        real_commits, [winner(deals), winner(deals[::-1]), winner(deals[10:] + deals[:10])]
    )

    assert sorted(answers) == ["too late", "too late", "won"]
    assert Invoice.objects.count() == 30


@pytest.mark.slow
def test_the_pdf_asked_for_by_all_at_once_is_made_once(real_commits: Any) -> None:
    from shared_apps.documents.models import Document
    from tenant_apps.invoices.services import print_invoice

    cast = assemble()
    deal = open_deals(cast, a_client(cast), 1)[0]
    win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk)])
    invoice = Invoice.objects.get()

    documents = in_threads(
        real_commits,
        [lambda: print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)] * AT_ONCE,
    )

    assert len({document.pk for document in documents}) == 1
    assert Document.objects.count() == 1
