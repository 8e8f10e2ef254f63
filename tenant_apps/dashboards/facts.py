"""From what happened to what counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from tenant_apps.commissions.events import CommissionAccrued
from tenant_apps.dashboards.figures import Dimension, Fact
from tenant_apps.deals.events import DealAssigned, DealWon
from tenant_apps.deals.models import Deal
from tenant_apps.payments.events import PaymentVerified
from tenant_apps.payments.models import Payment


def facts_of_won_deals(events: Iterable[DealWon]) -> Iterator[Fact]:
    """A won deal counts on its closing day, with its value before tax."""
    for event in events:
        yield Fact(
            measure="won",
            day=event.closed_on,
            amount_minor=event.value_minor,
            currency=event.currency,
            subjects=_subjects(
                agent=event.owner_id,
                unit=event.unit_id,
                client=event.client_id,
                product=event.product_id,
            ),
        )


def facts_of_payments(events: Iterable[PaymentVerified]) -> Iterator[Fact]:
    """A verified payment counts on the day on which it took effect, for the deal's owner."""
    for event in events:
        yield Fact(
            measure="collected",
            day=event.effective_on,
            amount_minor=event.amount_minor,
            currency=event.currency,
            subjects={
                **_subjects(agent=event.owner_id, unit=event.unit_id, client=event.client_id),
                Dimension.METHOD: event.method,
            },
        )


def facts_of_commissions(events: Sequence[CommissionAccrued]) -> Iterator[Fact]:
    """A commission counts on its effective day. Its deal is won, so nothing of it changes."""
    deals = Deal.objects.in_bulk({event.deal_id for event in events})
    for event in events:
        deal = deals[event.deal_id]
        yield Fact(
            measure="commission",
            day=event.effective_on,
            amount_minor=event.amount_minor,
            currency=event.currency,
            subjects=_subjects(
                agent=event.owner_id,
                unit=deal.unit_id,
                client=deal.client_id,
                product=deal.product_id,
            ),
        )


def facts_of_moved_deals(events: Sequence[DealAssigned]) -> Iterator[Fact]:
    """What was collected on a deal stops counting for the former owner and counts for the new."""
    moves = {event.subject_id: event for event in events}
    for payment in Payment.objects.verified().filter(deal_id__in=moves):
        event = moves[payment.deal_id]
        assert payment.effective_on is not None
        for times, owner_id, unit_id in (
            (-1, event.previous_owner_id, event.previous_unit_id),
            (1, event.owner_id, event.unit_id),
        ):
            yield Fact(
                measure="collected",
                day=payment.effective_on,
                amount_minor=payment.amount_minor,
                currency=payment.currency,
                subjects={
                    **_subjects(agent=owner_id, unit=unit_id, client=payment.client_id),
                    Dimension.METHOD: payment.method,
                },
                times=times,
            )


def _subjects(
    *,
    agent: UUID,
    unit: UUID,
    client: UUID | None,
    product: UUID | None = None,
) -> dict[Dimension, str]:
    named = {
        Dimension.AGENT: agent,
        Dimension.UNIT: unit,
        Dimension.CLIENT: client,
        Dimension.PRODUCT: product,
    }
    return {dimension: str(subject) for dimension, subject in named.items() if subject}
