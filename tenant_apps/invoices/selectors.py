"""The only reader of invoices that other apps call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Prefetch

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet
from tenant_apps.deals.selectors import deals_visible_to
from tenant_apps.deals.selectors import with_relations as deals_with_relations
from tenant_apps.invoices.models import Invoice, InvoiceQuerySet, InvoiceSeries
from tenant_apps.parties.selectors import clients_visible_to


def invoices_visible_to(actor: Actor) -> InvoiceQuerySet:
    """The invoices that the actor may see."""
    return actor.visible(Invoice.objects.all(), "invoices.view_invoice")


def with_relations(
    invoices: InvoiceQuerySet, *, shown: Iterable[str], actor: Actor
) -> InvoiceQuerySet:
    """The invoices with deal or recipient beside them, each only as far as the actor may see it."""
    paths = set(shown)
    lookups: list[Prefetch[Any]] = []
    if "recipient" in paths:
        lookups.append(Prefetch("recipient", queryset=clients_visible_to(actor)))
    if any(path.partition(".")[0] == "deal" for path in paths):
        inner = [path.removeprefix("deal.") for path in paths if path.startswith("deal.")]
        deals = deals_with_relations(deals_visible_to(actor), shown=inner, actor=actor)
        lookups.append(Prefetch("deal", queryset=deals))
    return invoices.prefetch_related(*lookups)


def series_visible_to(actor: Actor) -> RecordQuerySet[InvoiceSeries]:
    """The invoice series that the actor may see."""
    return actor.visible(InvoiceSeries.objects.all(), "invoices.view_invoiceseries")


def invoices_by_id(*, invoice_ids: Iterable[UUID]) -> dict[UUID, Invoice]:
    """These invoices, in one query, whoever asks."""
    return Invoice.objects.in_bulk(set(invoice_ids))


def invoices_of_deals(*, deal_ids: Iterable[UUID]) -> dict[UUID, Invoice]:
    """The invoices of these deals by the deal's id; deals without one are left out."""
    rows = Invoice.objects.filter(deal_id__in=set(deal_ids))
    return {row.deal_id: row for row in rows if row.deal_id is not None}
