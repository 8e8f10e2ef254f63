"""Winning a deal issues its invoice ..."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from shared_apps.audit.models import AuditEntry
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.deals.services import DealWin, record_deals, win_deals
from tenant_apps.invoices import errors
from tenant_apps.invoices.models import Invoice, InvoiceCounter, InvoiceLine
from tenant_apps.invoices.services import NewInvoice, NewLine, issue_invoices
from tenant_apps.ledger import selectors as ledger
from tenant_apps.parties.selectors import own_party
from tenant_apps.parties.services import change_client
from tenant_apps.products.selectors import default_tax_rate
from tenant_apps.products.services import NewProduct, record_products, record_tax_rate
from tests.cast import Cast
from tests.deals.stories import a_client, a_deal, a_won_deal, kes, new_deal


def invoice_of(deal: Any) -> Invoice:
    return Invoice.objects.get(deal=deal)


def test_from_issuer_to_recipient_at_the_deals_value(cast: Cast) -> None:
    client = a_client(cast, legal_name="Mto Traders Ltd", city="Nakuru")
    deal = a_won_deal(cast, client_id=client.pk, closed_on=date(2026, 3, 9), name="Solar roof")

    invoice = invoice_of(deal)
    assert (invoice.issuer_id, invoice.recipient_id) == (own_party().pk, client.pk)
    assert invoice.recipient_details["name"] == "Mto Traders Ltd"
    assert (invoice.net, invoice.tax, invoice.total) == (
        kes("1250.00"), kes("0.00"), kes("1250.00"),
    )  # fmt: skip
    assert (invoice.issued_on, invoice.due_on) == (date(2026, 3, 9), date(2026, 4, 8))
    assert (invoice.state, invoice.outstanding) == ("issued", kes("1250.00"))
    line = InvoiceLine.objects.get(invoice=invoice)
    assert (line.description, line.tax_category, line.tax_percent) == ("Solar roof", "O", 0)


def test_owner_and_unit_are_the_deals(cast: Cast) -> None:
    invoice = invoice_of(a_won_deal(cast))

    assert (invoice.owner_id, invoice.unit_id) == (
        cast.user("olga").pk, cast.unit_of("olga").pk,
    )  # fmt: skip


def test_with_the_products_name_and_tax(cast: Cast) -> None:
    rate = record_tax_rate(
        actor=cast.system, code="VAT16", name="VAT", category="S", percent=Decimal(16)
    )
    product = record_products(
        actor=cast.system,
        products=[
            NewProduct(code="P", name="GTX Pro", list_price=kes("4821.00"), tax_rate_id=rate.pk)
        ],
    )[0]

    invoice = invoice_of(a_won_deal(cast, product_id=product.pk, value=kes("4514.00")))

    assert (invoice.net, invoice.tax, invoice.total) == (
        kes("4514.00"), kes("722.24"), kes("5236.24"),
    )  # fmt: skip
    line = invoice.lines.get()
    assert (line.description, line.tax, line.product_id) == ("GTX Pro", kes("722.24"), product.pk)
    total = invoice.tax_totals.get()
    assert (total.category, total.percent, total.taxable) == ("S", 16, kes("4514.00"))


def test_the_deals_own_rate_goes_before_the_products(cast: Cast) -> None:
    vat = record_tax_rate(
        actor=cast.system,
        code="VAT16",
        name="VAT",
        category="S",
        percent=Decimal(16),
        is_default=True,
    )
    untaxed = a_won_deal(
        cast, tax_rate_id=type(vat).objects.get(code="NONE").pk, value=kes("100.00")
    )
    taxed = a_won_deal(cast, value=kes("100.00"))

    assert invoice_of(untaxed).tax == kes("0.00")
    assert invoice_of(taxed).tax == kes("16.00")


def test_numbers_follow_one_another_without_a_gap(cast: Cast) -> None:
    numbers = [invoice_of(a_won_deal(cast, closed_on=date(2026, 3, 9))).number for _ in range(3)]

    assert numbers == ["INV-2026-0001", "INV-2026-0002", "INV-2026-0003"]


def test_a_batch_is_numbered_by_year_and_day(cast: Cast) -> None:
    client = a_client(cast)
    days = [date(2026, 2, 1), date(2025, 12, 31), date(2026, 1, 1), date(2025, 1, 1)]
    deals = record_deals(
        actor=cast.system, deals=[new_deal(cast, client_id=client.pk) for _ in days]
    )
    win_deals(
        actor=cast.system,
        wins=[
            DealWin(deal_id=deal.pk, closed_on=day) for deal, day in zip(deals, days, strict=True)
        ],
    )

    assert [invoice_of(deal).number for deal in deals] == [
        "INV-2026-0002", "INV-2025-0002", "INV-2026-0001", "INV-2025-0001",
    ]  # fmt: skip


def test_what_is_rolled_back_gives_its_number_back(cast: Cast) -> None:
    deal = a_deal(cast, client_id=a_client(cast).pk)
    with pytest.raises(RuntimeError), transaction.atomic():
        win_deals(actor=cast.system, wins=[DealWin(deal_id=deal.pk, closed_on=date(2026, 1, 1))])
        raise RuntimeError

    assert invoice_of(a_won_deal(cast, closed_on=date(2026, 1, 2))).number == "INV-2026-0001"
    assert not InvoiceCounter.objects.exclude(last_number=1).exists()


def test_posts_net_and_tax_against_the_recipients_receivable(cast: Cast) -> None:
    record_tax_rate(
        actor=cast.system,
        code="VAT16",
        name="VAT",
        category="S",
        percent=Decimal(16),
        is_default=True,
    )
    client = a_client(cast)
    a_won_deal(cast, client_id=client.pk, value=kes("100.00"))

    def balance(code: str, subledger: Any = None) -> Any:
        return ledger.balance_of(account_code=code, subledger_id=subledger, currency="KES")

    assert balance("1200", client.pk) == kes("116.00")
    assert balance("4000") == kes("100.00")
    assert balance("2100") == kes("16.00")


def test_the_clients_own_terms_go_before_the_series(cast: Cast) -> None:
    client = a_client(cast, payment_terms_days=7)
    invoice = invoice_of(a_won_deal(cast, client_id=client.pk, closed_on=date(2026, 1, 1)))

    assert invoice.due_on == date(2026, 1, 8)


def test_a_later_change_of_the_client_does_not_reach_it(cast: Cast) -> None:
    client = a_client(cast)
    deal = a_won_deal(cast, client_id=client.pk)
    change_client(actor=cast.system, party_id=client.pk, changes={"name": "Renamed"})

    assert invoice_of(deal).recipient_details["name"] == "Mto Traders"


def test_is_audited_and_told(cast: Cast) -> None:
    deal = a_won_deal(cast)

    invoice = invoice_of(deal)
    entry = AuditEntry.objects.get(event_name="invoices.invoice_issued")
    assert entry.subject_id == invoice.pk
    assert entry.payload["total_minor"] == 125000
    assert entry.actor_user_id == cast.user("olga").pk
    assert OutboxMessage.objects.get(event_name="invoices.invoice_issued").quiet is False


def test_a_deal_has_one_invoice(cast: Cast) -> None:
    deal = a_won_deal(cast)
    assert deal.client_id is not None
    line = NewLine(description="x", unit_price=kes("1.00"), tax_rate=default_tax_rate())
    new = NewInvoice(
        recipient_id=deal.client_id,
        owner_id=deal.owner_id,
        unit_id=deal.unit_id,
        currency="KES",
        issued_on=date(2026, 1, 1),
        lines=(line,),
        deal_id=deal.pk,
    )

    with pytest.raises(errors.DealAlreadyInvoiced):
        issue_invoices(actor=cast.system, invoices=[new])

    assert Invoice.objects.count() == 1


def test_what_was_issued_is_not_edited(cast: Cast) -> None:
    a_won_deal(cast)

    with pytest.raises(ProgrammingError), transaction.atomic():
        InvoiceLine.objects.update(net_minor=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invoice.objects.update(net_minor=1)


def test_a_failure_of_the_posting_leaves_nothing(cast: Cast, monkeypatch: Any) -> None:
    from tenant_apps.invoices.services import issuing

    def refuse(**_: Any) -> None:
        raise RuntimeError("books are closed")

    deal = a_deal(cast, client_id=a_client(cast).pk)
    monkeypatch.setattr(issuing, "post", refuse)

    with pytest.raises(RuntimeError), transaction.atomic():
        win_deals(actor=cast.actor("olga"), wins=[DealWin(deal_id=deal.pk)])

    deal.refresh_from_db()
    assert deal.stage == "prospecting"
    assert not Invoice.objects.exists()
    assert not AuditEntry.objects.filter(event_name="deals.deal_won").exists()
