"""Payments tell invoices how much of them is covered ..."""

from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.errors import NotFound
from shared_apps.kernel.money import CurrencyMismatch, Money
from tenant_apps.deals.services import DealWin, record_deals, win_deals
from tenant_apps.invoices import errors
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import InvoiceAllocation, lock_invoices, record_allocations
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, kes, new_deal


def an_invoice(cast: Cast, **values: Any) -> Invoice:
    return Invoice.objects.get(deal=a_won_deal(cast, **values))


def allocate(cast: Cast, invoice: Invoice, *amounts: str) -> Invoice:
    return record_allocations(
        actor=cast.system,
        allocations=[
            InvoiceAllocation(invoice_id=invoice.pk, amount=kes(amount)) for amount in amounts
        ],
    )[0]


def test_in_part_and_then_wholly(cast: Cast) -> None:
    invoice = an_invoice(cast)

    partly = allocate(cast, invoice, "1000.00")
    assert (partly.state, partly.outstanding, partly.version) == ("partly_paid", kes("250.00"), 2)

    paid = allocate(cast, invoice, "250.00")
    assert (paid.state, paid.outstanding, paid.version) == ("paid", kes("0.00"), 3)
    names = list(
        AuditEntry.objects.filter(subject_id=invoice.pk)
        .order_by("id")
        .values_list("event_name", flat=True)
    )
    assert names == [
        "invoices.invoice_issued",
        "invoices.invoice_partly_paid",
        "invoices.invoice_paid",
    ]


def test_several_parts_at_once_are_added_up(cast: Cast) -> None:
    assert allocate(cast, an_invoice(cast), "1000.00", "250.00").state == "paid"


def test_what_was_allocated_can_be_taken_back(cast: Cast) -> None:
    invoice = an_invoice(cast)
    allocate(cast, invoice, "1250.00")

    assert allocate(cast, invoice, "-250.00").state == "partly_paid"
    assert allocate(cast, invoice, "-1000.00").state == "issued"


@pytest.mark.parametrize("amounts", [["1250.01"], ["1000.00", "250.01"], ["-0.01"]])
def test_never_more_than_the_total_nor_less_than_nothing(cast: Cast, amounts: list[str]) -> None:
    invoice = an_invoice(cast)

    with pytest.raises(errors.OverAllocated):
        allocate(cast, invoice, *amounts)

    invoice.refresh_from_db()
    assert (invoice.allocated_minor, invoice.state, invoice.version) == (0, "issued", 1)


def test_the_database_holds_that_too(cast: Cast) -> None:
    invoice = an_invoice(cast)

    for wrong in (-1, invoice.total_minor + 1):
        with pytest.raises(IntegrityError), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(allocated_minor=wrong)


def test_in_the_invoices_currency_only(cast: Cast) -> None:
    invoice = an_invoice(cast)
    dollars = InvoiceAllocation(invoice_id=invoice.pk, amount=Money.parse("1.00", "USD"))
    shillings = InvoiceAllocation(invoice_id=invoice.pk, amount=kes("1.00"))

    with pytest.raises(errors.AllocationCurrencyDiffers):
        record_allocations(actor=cast.system, allocations=[dollars])
    with pytest.raises(CurrencyMismatch):
        record_allocations(actor=cast.system, allocations=[shillings, dollars])

    invoice.refresh_from_db()
    assert invoice.allocated_minor == 0


def test_one_unknown_invoice_refuses_all(cast: Cast) -> None:
    invoice = an_invoice(cast)

    with pytest.raises(NotFound):
        record_allocations(
            actor=cast.system,
            allocations=[
                InvoiceAllocation(invoice_id=invoice.pk, amount=kes("1.00")),
                InvoiceAllocation(invoice_id=uuid4(), amount=kes("1.00")),
            ],
        )

    invoice.refresh_from_db()
    assert invoice.allocated_minor == 0


def test_costs_the_same_statements_for_one_and_for_forty(cast: Cast) -> None:
    client = a_client(cast)
    counts = []
    for size in (1, 40):
        deals = record_deals(
            actor=cast.system, deals=[new_deal(cast, client_id=client.pk) for _ in range(size)]
        )
        win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk) for deal in deals])
        invoices = lock_invoices(deal_ids=[deal.pk for deal in deals])
        assert len(invoices) == size
        with CaptureQueriesContext(connection) as captured:
            record_allocations(
                actor=cast.system,
                allocations=[
                    InvoiceAllocation(invoice_id=invoice.pk, amount=kes("5.00"))
                    for invoice in invoices.values()
                ],
            )
        counts.append(len(captured))

    assert counts[0] == counts[1]


def test_a_deal_without_an_invoice_is_left_out(cast: Cast) -> None:
    deal = a_deal(cast)

    assert lock_invoices(deal_ids=[deal.pk]) == {}


def test_overdue_is_what_is_not_wholly_paid_after_its_day(cast: Cast) -> None:
    late, paid = (an_invoice(cast, closed_on=date(2026, 1, 1)) for _ in range(2))
    allocate(cast, paid, "1250.00")

    assert list(Invoice.objects.all().overdue(on=date(2026, 1, 31))) == []
    assert list(Invoice.objects.all().overdue(on=date(2026, 2, 1))) == [late]
