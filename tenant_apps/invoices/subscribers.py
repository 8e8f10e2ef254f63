"""What invoices do when a deal is won, when an organization is founded, and after commit."""

from __future__ import annotations

from collections.abc import Sequence

from shared_apps.audit import history, subscriptions
from shared_apps.delivery.services import send_mail
from shared_apps.kernel.actor import Actor
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.deals.events import DealWon
from tenant_apps.deals.models import Deal
from tenant_apps.deals.selectors import deals_for_invoicing
from tenant_apps.invoices.events import InvoiceIssued
from tenant_apps.invoices.models import Invoice, InvoiceSeries
from tenant_apps.invoices.selectors import invoices_by_id
from tenant_apps.invoices.services import NewInvoice, NewLine, issue_invoices, record_first_series
from tenant_apps.parties.selectors import invoice_recipient
from tenant_apps.products.models import TaxRate
from tenant_apps.products.selectors import default_tax_rate, rate_for
from tenants.provisioning import register_spare_seed


def invoice_won_deals(events: Sequence[DealWon], *, actor: Actor) -> None:
    """Make the invoice of each won deal, in the transaction that wins it."""
    deals = deals_for_invoicing(deal_ids=[event.subject_id for event in events])
    default = default_tax_rate()
    issue_invoices(
        actor=actor,
        invoices=[_invoice_of(deals[event.subject_id], event, default) for event in events],
    )


def _invoice_of(deal: Deal, event: DealWon, default: TaxRate) -> NewInvoice:
    # A won deal has a client; the database holds it.
    assert deal.client_id is not None
    line = NewLine(
        description=(deal.product.name if deal.product else deal.name) or deal.reference,
        unit_price=deal.value,
        tax_rate=rate_for(deal_rate=deal.tax_rate, product=deal.product, default=default),
        product_id=deal.product_id,
    )
    return NewInvoice(
        recipient_id=deal.client_id,
        owner_id=deal.owner_id,
        unit_id=deal.unit_id,
        currency=deal.currency,
        issued_on=event.closed_on,
        lines=(line,),
        deal_id=deal.id,
        credit_bypass_reason=event.credit_bypass_reason,
    )


@consumer("invoices.mail_recipient", InvoiceIssued)
def mail_recipient(message: OutboxMessage) -> None:
    """Tell the recipient of an invoice, where an address is known."""
    event = InvoiceIssued.from_payload(message.payload)
    invoice = invoices_by_id(invoice_ids=[event.subject_id])[event.subject_id]
    recipient = invoice_recipient(party_id=event.recipient_id)
    if recipient is None:
        return
    send_mail(
        to=recipient.email,
        template="invoice_issued",
        context={
            "name": recipient.name,
            "issuer": invoice.issuer_details["name"],
            "number": invoice.number,
            "total": str(invoice.total),
            "issued_on": invoice.issued_on.isoformat(),
            "due_on": invoice.due_on.isoformat(),
        },
    )


def seed_first_series(*, actor: Actor) -> None:
    """Invoices need a range of numbers from the first day."""
    record_first_series(actor=actor)


# The generated columns follow from others, and the issuer is the same on every invoice.
history.track(
    Invoice,
    exclude=("outstanding_minor", "state", "issuer_details"),
    mask=("recipient_details",),
)
history.track(InvoiceSeries)
subscriptions.subscribe(DealWon, invoice_won_deals)
register_spare_seed(
    order=50,
    name="invoices.first_series",
    function=seed_first_series,
    version=lambda: "INV, 30 days",
)
