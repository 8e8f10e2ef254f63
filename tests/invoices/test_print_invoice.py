"""The PDF of an invoice ..."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared_apps.documents.models import Document
from shared_apps.documents.selectors import content_of
from shared_apps.kernel.errors import NotFound
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.services import print_invoice
from tenant_apps.invoices.services.printing import _printed
from tenant_apps.products.services import record_tax_rate
from tests.cast import Cast
from tests.deals.stories import a_client
from tests.invoices.test_record_allocations import allocate, an_invoice


def test_is_made_when_first_asked_for(cast: Cast) -> None:
    invoice = an_invoice(cast, closed_on=date(2026, 3, 9))
    assert not Document.objects.exists()

    document = print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)

    assert (document.file_name, document.content_type) == ("INV-2026-0001.pdf", "application/pdf")
    with content_of(document) as file:
        assert file.read(5) == b"%PDF-"


def test_is_made_once(cast: Cast) -> None:
    invoice = an_invoice(cast)
    first = print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)
    allocate(cast, invoice, "100.00")

    assert print_invoice(actor=cast.actor("vera"), invoice_id=invoice.pk) == first
    assert Document.objects.count() == 1


def test_asking_for_it_is_no_change_of_the_invoice(cast: Cast) -> None:
    invoice = an_invoice(cast)

    print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)

    invoice.refresh_from_db()
    assert invoice.version == 1


def test_shows_net_tax_and_total(cast: Cast) -> None:
    record_tax_rate(
        actor=cast.system,
        code="VAT16",
        name="VAT",
        category="S",
        percent=Decimal(16),
        is_default=True,
    )

    shown = _printed(an_invoice(cast))

    assert (shown["net"], shown["tax"], shown["total"]) == ("1250.00", "200.00", "1450.00")
    assert shown["taxes"] == [
        {"category": "Standard rate", "percent": "16", "taxable": "1250.00", "tax": "200.00"}
    ]
    assert shown["issuer"] == ["Acme Trading Limited", "KE", "Tax number P051234567A"]


@pytest.mark.parametrize(
    "name",
    [
        '#panic("out")',
        '#import "/letter.typ"',
        "$ x + y $ \\ #",
        '"); #read("/etc/passwd") //',
        "Ünïcødé 株式会社 \u202e لشركة",
        "x" * 200,
    ],
)
def test_a_name_is_text_and_never_markup(cast: Cast, name: str) -> None:
    client = a_client(cast, name=name, address_line_1=name)
    invoice = an_invoice(cast, client_id=client.pk, name=name)

    document = print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)

    with content_of(document) as file:
        assert file.read(5) == b"%PDF-"


@pytest.mark.parametrize("name", ["paul", "oscar"])
def test_strangers_do_not_get_it(cast: Cast, name: str) -> None:
    invoice = an_invoice(cast)

    with pytest.raises(NotFound):
        print_invoice(actor=cast.actor(name), invoice_id=invoice.pk)

    assert not Document.objects.exists()


def test_a_storage_that_is_down_leaves_nothing_half_made(cast: Cast, monkeypatch: Any) -> None:
    from shared_apps.documents import storage
    from shared_apps.documents.errors import StorageDown

    def refuse(*_: Any) -> None:
        raise OSError("disk is full")

    invoice = an_invoice(cast)
    monkeypatch.setattr(storage, "write", refuse)

    with pytest.raises(StorageDown):
        print_invoice(actor=cast.actor("olga"), invoice_id=invoice.pk)

    assert Invoice.objects.get().document_id is None
    assert not Document.objects.exists()
