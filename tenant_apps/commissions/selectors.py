"""The only reader of commissions that other apps call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from shared_apps.kernel.actor import Actor
from tenant_apps.commissions import errors
from tenant_apps.commissions.calculator import Basis, Reckoning, reckon
from tenant_apps.commissions.models import (
    Commission,
    CommissionPlan,
    CommissionQuerySet,
    CommissionState,
)


def commissions_visible_to(actor: Actor) -> CommissionQuerySet:
    """The commissions that the actor may see."""
    visible: CommissionQuerySet = actor.visible(
        Commission.objects.all(), "commissions.view_commission"
    )
    return visible


def plans_visible_to(actor: Actor) -> QuerySet[CommissionPlan]:
    """The commission plans, past and future, that the actor may see."""
    return actor.visible(CommissionPlan.objects.all(), "commissions.view_commissionplan")


def plans_on(*, days: Iterable[date]) -> dict[date, CommissionPlan | None]:
    """The plan in force on each day: the one that started last. One query for all days.

    Plans are few (one for each change of the percentage), so they are all read.
    """
    plans = list(CommissionPlan.objects.order_by("-starts_on"))
    return {day: next((plan for plan in plans if plan.starts_on <= day), None) for day in set(days)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a commission is what it is: the stored steps, and the same worked out once more."""

    commission: Commission
    basis: Basis
    again: Reckoning

    @property
    def is_same(self) -> bool:
        return (
            self.again.commission == self.commission.amount
            and self.again.net == self.commission.net
            and [step.to_json() for step in self.again.steps] == self.commission.steps
        )


def explanation_of(*, commission: Commission) -> Explanation:
    """The explanation of an accrued commission, worked out from what it was stored with.

    :raises CommissionNotReckoned: it waits for a plan or a rate.
    """
    if commission.state != CommissionState.ACCRUED:
        raise errors.CommissionNotReckoned(
            f"It waits for: {commission.get_missing_display().lower()}.",
            extra={"missing": commission.missing},
        )
    basis = Basis.from_json(commission.basis)
    return Explanation(commission=commission, basis=basis, again=reckon(basis))
