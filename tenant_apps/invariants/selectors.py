"""How the present organization's invariants stand."""

from __future__ import annotations

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet

from .models import InvariantAlarm, InvariantCheck, InvariantCheckQuerySet


def invariant_checks() -> InvariantCheckQuerySet:
    """Every invariant that is watched, by name."""
    checks: InvariantCheckQuerySet = InvariantCheck.objects.known().select_related("alarm")
    return checks.order_by("name")


def invariant_checks_visible_to(actor: Actor) -> InvariantCheckQuerySet:
    """Every invariant that is watched, for who may see them."""
    return actor.visible(invariant_checks(), "invariants.view_invariantcheck")


def alarms_visible_to(actor: Actor) -> RecordQuerySet[InvariantAlarm]:
    """Every alarm that was ever raised, the newest first, for who may see them."""
    alarms: RecordQuerySet[InvariantAlarm] = InvariantAlarm.objects.select_related(
        "closing"
    ).order_by("-id")
    return actor.visible(alarms, "invariants.view_invariantalarm")


def red_invariants(*, concerns: str) -> list[str]:
    """The names of those that concern this and do not hold."""
    red: InvariantCheckQuerySet = InvariantCheck.objects.known().red().filter(concerns=concerns)
    return list(red.order_by("name").values_list("name", flat=True))
