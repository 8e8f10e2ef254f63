"""The PDF of a payment invoice, made when it is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.documents import pdf
from shared_apps.documents.models import Document
from shared_apps.documents.services import store_bytes
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from tenant_apps.parties.selectors import own_party
from tenant_apps.payments import errors, events
from tenant_apps.payments.models import Payment, PaymentInvoice, PaymentInvoiceState
from tenant_apps.payments.selectors import payment_invoices_visible_to
from tenants.context import current_organization

_TEMPLATE = Path(__file__).parent.parent / "templates" / "payment_invoice.typ"


@transaction.atomic
def print_payment_invoice(*, actor: Actor, payment_invoice_id: UUID) -> Document:
    """The PDF of an approved payment invoice; the first one who asks has it made, all others get
    the same file.

    :raises NotFound: no such payment invoice that the actor sees.
    :raises PaymentInvoiceNotApproved: the payment is not verified.
    :raises PdfFailed: it cannot be set.
    :raises StorageDown: the storage did not take it.
    """
    visible = payment_invoices_visible_to(actor)
    invoice: PaymentInvoice = visible.select_related("document").obtain(payment_invoice_id)
    actor.require("payments.view_paymentinvoice", invoice)
    if invoice.state != PaymentInvoiceState.APPROVED:
        raise errors.PaymentInvoiceNotApproved(f"{invoice.reference} is {invoice.state}.")
    if invoice.document is not None:
        return invoice.document
    # Locked and read again, so that two who ask at once do not make two files.
    invoice = PaymentInvoice.objects.all().locked(payment_invoice_id)
    if invoice.document is not None:
        return invoice.document
    payment = Payment.objects.select_related("deal", "client").get(pk=invoice.payment_id)
    document = store_bytes(
        content=pdf.render(
            _TEMPLATE.read_text(encoding="utf-8"),
            _printed(invoice, payment),
            dated=invoice.decided_at,
        ),
        file_name=f"{invoice.reference}.pdf",
        content_type="application/pdf",
        kind="payment_invoice",
        actor=actor,
    )
    invoice.document = document
    invoice.save(update_fields=["document", "updated_at"])
    audit.record(
        events.PaymentInvoicePrinted(
            subject_id=invoice.id, payment_id=payment.id, document_id=document.id
        ),
        actor=actor,
    )
    return document


def _printed(invoice: PaymentInvoice, payment: Payment) -> dict[str, Any]:
    assert invoice.decided_at is not None
    time_zone = current_organization().time_zone
    return {
        "number": invoice.reference,
        "payment": payment.reference,
        "deal": payment.deal.reference,
        "paid_on": payment.paid_on,
        "approved_on": clock.local_date(invoice.decided_at, time_zone),
        "method": payment.get_method_display(),
        "reference": payment.external_reference,
        "currency": payment.currency,
        "amount": payment.amount.to_string(),
        "issuer": _address(own_party().invoicing_details()),
        "payer": _address(payment.client.invoicing_details()),
    }


def _address(details: dict[str, str]) -> list[str]:
    """The lines of an address block, without empty ones."""
    town = f"{details['postal_code']} {details['city']}".strip()
    lines = [
        details["name"],
        details["address_line_1"],
        details["address_line_2"],
        town,
        details["country"],
    ]
    return [line for line in lines if line]
