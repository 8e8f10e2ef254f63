"""Reads of plans, on the platform."""

from django.db.models import QuerySet

from shared_apps.plans.errors import NoSuchPlan
from shared_apps.plans.models import Plan


def listed_plans() -> QuerySet[Plan]:
    """The plans that a visitor may choose."""
    return Plan.objects.filter(is_listed=True)


def plan_by_code(code: str) -> Plan:
    """
    :raises NoSuchPlan: no plan has the code.
    """
    plan = Plan.objects.filter(code=code).first()
    if plan is None:
        raise NoSuchPlan(f"There is no plan {code!r}.")
    return plan


def default_plan() -> Plan:
    """The plan of those who do not choose: the first that is listed.

    :raises NoSuchPlan: none is listed.
    """
    plan = listed_plans().order_by("position", "code").first()
    if plan is None:
        raise NoSuchPlan("No plan is listed.")
    return plan
