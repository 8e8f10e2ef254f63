"""What commissions do at start-up: keep their history, seed the first plan, hear of allocations."""

from __future__ import annotations

from collections.abc import Sequence

from shared_apps.audit import history
from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor
from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.commissions.seeds import plan_version, seed_plan
from tenant_apps.commissions.services import accrue_commissions
from tenant_apps.payments.events import PaymentAllocated
from tenants.provisioning import register_spare_seed


def accrue(events: Sequence[PaymentAllocated], *, actor: Actor) -> None:
    accrue_commissions(allocations=events, actor=actor)


history.track(Commission, exclude=("basis", "steps"))
history.track(CommissionPlan)
register_spare_seed(order=60, name="commissions.plan", function=seed_plan, version=plan_version)
subscribe(PaymentAllocated, accrue)
