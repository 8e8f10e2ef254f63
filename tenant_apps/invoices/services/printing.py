"""The PDF of an invoice, made when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.documents import pdf
from shared_apps.documents.models import Document
from shared_apps.documents.services import store_bytes
from shared_apps.kernel.actor import Actor
from tenant_apps.invoices import events
from tenant_apps.invoices.models import Invoice
from tenant_apps.invoices.selectors import invoices_visible_to

_TEMPLATE = Path(__file__).parent.parent / "templates" / "invoice.typ"


def print_invoice(*, actor: Actor, invoice_id: UUID) -> Document:
    """The PDF of an invoice; the first one who asks has it made, all others get the same file.

    It shows what was issued and nothing that changed since, so it never has to be made anew.

    :raises NotFound: no such invoice that the actor sees.
    :raises PdfFailed: it cannot be set.
    :raises StorageDown: the storage did not take it.
    """
    invoice = invoices_visible_to(actor).select_related("document").obtain(invoice_id)
    actor.require("invoices.view_invoice", invoice)
    if invoice.document is not None:
        return invoice.document
    with transaction.atomic():
        # Locked, so that two who ask at once do not make two files; and without joins, because
        # a row that waited for its lock is read anew and what was joined to it is not.
        invoice = Invoice.objects.all().locked(invoice_id)
        if invoice.document is not None:
            return invoice.document
        document = _store_pdf(invoice, actor=actor)
        invoice.document = document
        # No new version: what a reader of the invoice sees has not changed.
        invoice.save(update_fields=["document", "updated_at"])
        audit.record(
            events.InvoicePrinted(**invoice.event_values(), document_id=document.id), actor=actor
        )
    return document


def _store_pdf(invoice: Invoice, *, actor: Actor) -> Document:
    return store_bytes(
        content=pdf.render(
            _TEMPLATE.read_text(encoding="utf-8"), _printed(invoice), dated=invoice.created_at
        ),
        file_name=f"{invoice.number}.pdf",
        content_type="application/pdf",
        kind="invoice",
        actor=actor,
    )


def _printed(invoice: Invoice) -> Mapping[str, Any]:
    """What the invoice's template shows."""
    return {
        "number": invoice.number,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "currency": invoice.currency,
        "issuer": _address(invoice.issuer_details),
        "recipient": _address(invoice.recipient_details),
        "lines": [
            {
                "description": line.description,
                "quantity": f"{line.quantity.normalize():f}",
                "unit_price": line.unit_price.to_string(),
                "net": line.net.to_string(),
            }
            for line in invoice.lines.all()
        ],
        "taxes": [
            {
                "category": total.get_category_display(),
                "percent": f"{total.percent.normalize():f}",
                "taxable": total.taxable.to_string(),
                "tax": total.tax.to_string(),
            }
            for total in invoice.tax_totals.all()
        ],
        "net": invoice.net.to_string(),
        "tax": invoice.tax.to_string(),
        "total": invoice.total.to_string(),
        "note": invoice.series.note,
    }


def _address(details: Mapping[str, str]) -> list[str]:
    """The lines of an address block, without empty ones."""
    town = f"{details['postal_code']} {details['city']}".strip()
    tax_number = f"Tax number {details['tax_number']}" if details["tax_number"] else ""
    lines = [
        details["name"],
        details["address_line_1"],
        details["address_line_2"],
        town,
        details["country"],
        tax_number,
    ]
    return [line for line in lines if line]
