"""Facts of lower floors, counted in the transaction in which they happen."""

from __future__ import annotations

from collections.abc import Sequence

from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor
from tenant_apps.commissions.events import CommissionAccrued
from tenant_apps.dashboards.facts import (
    facts_of_commissions,
    facts_of_moved_deals,
    facts_of_payments,
    facts_of_won_deals,
)
from tenant_apps.dashboards.services import count_facts
from tenant_apps.deals.events import DealAssigned, DealWon
from tenant_apps.payments.events import PaymentVerified


def count_won(events: Sequence[DealWon], *, actor: Actor) -> None:
    count_facts(facts=facts_of_won_deals(events))


def count_collected(events: Sequence[PaymentVerified], *, actor: Actor) -> None:
    count_facts(facts=facts_of_payments(events))


def count_commission(events: Sequence[CommissionAccrued], *, actor: Actor) -> None:
    count_facts(facts=facts_of_commissions(events))


def move_with_deal(events: Sequence[DealAssigned], *, actor: Actor) -> None:
    """An open deal that changes hands takes its verified payments along."""
    count_facts(facts=facts_of_moved_deals(events))


subscribe(CommissionAccrued, count_commission)
subscribe(PaymentVerified, count_collected)
subscribe(DealWon, count_won)
subscribe(DealAssigned, move_with_deal)
