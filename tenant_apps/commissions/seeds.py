"""The plan that an organization begins with, until it sets its own."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from shared_apps.kernel.actor import Actor
from tenant_apps.commissions.models import CommissionPlan
from tenant_apps.commissions.services import add_plan

NAME = "Standard"
PERCENT = Decimal(5)
# Before any business of anybody, so that an imported history has a plan as well.
STARTS_ON = date(1900, 1, 1)


def seed_plan(*, actor: Actor) -> None:
    """Five per cent for everybody, unless a plan stands already."""
    if not CommissionPlan.objects.exists():
        add_plan(actor=actor, name=NAME, percent=PERCENT, starts_on=STARTS_ON)


def plan_version() -> str:
    """Differs whenever the first plan does."""
    return f"{NAME}, {PERCENT} per cent from {STARTS_ON}"
