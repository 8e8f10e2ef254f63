"""The verifier's word on an invoice."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.invoices import errors, events
from tenant_apps.invoices.models import Invoice, InvoiceApproval
from tenant_apps.invoices.selectors import invoices_visible_to


@transaction.atomic
def approve_invoices(
    *, actor: Actor, invoice_ids: Sequence[UUID], comment: str = ""
) -> list[InvoiceApproval]:
    """Say that invoices were looked at and found right, in the order of their ids.

    :raises NotFound: the actor does not see one of them.
    :raises Forbidden: the actor may not approve one of them.
    :raises MakerCannotApprove: one of them belongs to the actor, or was issued by the actor.
    :raises AlreadyApproved: one of them is approved.
    """
    invoices = invoices_visible_to(actor).locked_all(invoice_ids)
    ids = [invoice.id for invoice in invoices]
    permitted = set(
        actor.visible(Invoice.objects.filter(pk__in=ids), "invoices.approve_invoice").values_list(
            "pk", flat=True
        )
    )
    for invoice in invoices:
        if invoice.id not in permitted:
            actor.require("invoices.approve_invoice", invoice)
        invoice.check_approvable_by(actor.user_id)
    if InvoiceApproval.objects.filter(invoice_id__in=ids).exists():
        raise errors.AlreadyApproved
    approvals = [
        InvoiceApproval(
            invoice=invoice,
            comment=comment,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        )
        for invoice in invoices
    ]
    InvoiceApproval.objects.bulk_create(approvals)
    audit.record_all(
        [events.InvoiceApproved(**invoice.event_values()) for invoice in invoices], actor=actor
    )
    return approvals
