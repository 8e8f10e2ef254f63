"""What payments tell invoices: how much of them is covered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.bulk import update_columns
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.invoices import events
from tenant_apps.invoices.models import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceAllocation:
    """That this much more of an invoice is covered; below zero, that much less."""

    invoice_id: UUID
    amount: Money


@step
def lock_invoices(*, deal_ids: Iterable[UUID]) -> dict[UUID, Invoice]:
    """The invoices of these deals, by the deal's id, locked in the order of their ids (a step).

    Deals without an invoice are left out.
    """
    rows = Invoice.objects.filter(deal_id__in=set(deal_ids)).order_by("pk").for_change()
    return {row.deal_id: row for row in rows if row.deal_id is not None}


@step
@transaction.atomic
def record_allocations(*, actor: Actor, allocations: Sequence[InvoiceAllocation]) -> list[Invoice]:
    """Add to what is allocated to invoices; answers each changed invoice once, with its new state.

    A step of allocating payments, which has required the right to do that. Several allocations
    to one invoice are added up.

    :raises NotFound: an invoice does not exist.
    :raises AllocationCurrencyDiffers: an amount is in another currency than its invoice.
    :raises OverAllocated: more than an invoice's total, or less than nothing, would be allocated.
    """
    amounts: dict[UUID, list[Money]] = {}
    for allocation in allocations:
        amounts.setdefault(allocation.invoice_id, []).append(allocation.amount)
    invoices = Invoice.objects.all().locked_all(amounts)
    moment = clock.now()
    added: dict[UUID, Money] = {}
    changes: list[dict[str, tuple[Any, Any]]] = []
    for invoice in invoices:
        amount = Money.total(amounts[invoice.id], currency=amounts[invoice.id][0].currency)
        invoice.check_allocable(amount)
        added[invoice.id] = amount
        before = invoice.allocated_minor
        invoice.allocated_minor = before + amount.minor
        changes.append({"allocated_minor": (before, invoice.allocated_minor)})
        invoice.raise_version()
        invoice.updated_at = moment
        invoice.updated_by_id = actor.user_id
    update_columns(invoices, fields=["allocated_minor", "version", "updated_at", "updated_by_id"])
    history.record_bulk_changed(invoices, changes, actor=actor)
    # The database has reckoned the state anew.
    stored = Invoice.objects.in_bulk(list(amounts))
    covered = [stored[invoice.id] for invoice in invoices]
    audit.record_all([_event(row, added[row.id]) for row in covered], actor=actor)
    return covered


def _event(invoice: Invoice, amount: Money) -> events.InvoiceEvent:
    if invoice.outstanding_minor == 0:
        return events.InvoicePaid(**invoice.event_values(), amount_minor=amount.minor)
    return events.InvoicePartlyPaid(
        **invoice.event_values(),
        amount_minor=amount.minor,
        outstanding_minor=invoice.outstanding_minor,
    )
