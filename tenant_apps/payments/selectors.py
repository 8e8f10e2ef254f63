"""The only reader of payments that other apps call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Min, Prefetch, QuerySet, Sum

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet
from shared_apps.kernel.money import Money
from tenant_apps.deals.selectors import deals_visible_to
from tenant_apps.deals.selectors import with_relations as deals_with_relations
from tenant_apps.parties.selectors import clients_visible_to
from tenant_apps.payments.models import (
    Allocation,
    Payment,
    PaymentInvoice,
    PaymentQuerySet,
)


def payments_visible_to(actor: Actor) -> PaymentQuerySet:
    """The payments that the actor may see."""
    visible: PaymentQuerySet = actor.visible(Payment.objects.all(), "payments.view_payment")
    return visible


def with_relations(
    payments: QuerySet[Payment], *, shown: Iterable[str], actor: Actor
) -> QuerySet[Payment]:
    """The payments with deal or client beside them, each only as far as the actor may see it."""
    paths = set(shown)
    lookups: list[Prefetch[Any]] = []
    if "client" in paths:
        lookups.append(Prefetch("client", queryset=clients_visible_to(actor)))
    if any(path.partition(".")[0] == "deal" for path in paths):
        inner = [path.removeprefix("deal.") for path in paths if path.startswith("deal.")]
        deals = deals_with_relations(deals_visible_to(actor), shown=inner, actor=actor)
        lookups.append(Prefetch("deal", queryset=deals))
    return payments.prefetch_related(*lookups)


def payment_invoices_visible_to(actor: Actor) -> RecordQuerySet[PaymentInvoice]:
    """The payment invoices that the actor may see."""
    visible: RecordQuerySet[PaymentInvoice] = actor.visible(
        PaymentInvoice.objects.all(), "payments.view_paymentinvoice"
    )
    return visible


def allocations_by_id(*, allocation_ids: Iterable[UUID]) -> dict[UUID, Allocation]:
    """These allocations, in one query, whoever asks."""
    return Allocation.objects.in_bulk(set(allocation_ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What of the queue came by one method, in one currency."""

    method: str
    number: int
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """What waits for verification: as long as the queue is, however long the history."""

    by_method: tuple[Waiting, ...]
    oldest_at: datetime | None

    @property
    def number(self) -> int:
        return sum(waiting.number for waiting in self.by_method)


def queue_visible_to(actor: Actor) -> Queue:
    """The queue's figures, of the payments that the actor may see."""
    pending = payments_visible_to(actor).pending().order_by()
    rows = (
        pending.values("method", "currency")
        .annotate(number=Count("id"), total=Sum("amount_minor"), oldest=Min("created_at"))
        .order_by("method", "currency")
    )
    oldest = None
    found = []
    for row in rows:
        oldest = row["oldest"] if oldest is None else min(oldest, row["oldest"])
        found.append(
            Waiting(
                method=row["method"],
                number=row["number"],
                amount=Money(int(row["total"]), row["currency"]),
            )
        )
    return Queue(by_method=tuple(found), oldest_at=oldest)
