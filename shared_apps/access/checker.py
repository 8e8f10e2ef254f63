"""The kernel's ``Checker``, answered by the one rule of ``rules``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from shared_apps.kernel.actor import Actor, AllowsEverything

from .rules import EVERYTHING, NO_REACH, Access, Reach, holds, reaches_new, visible_q

QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])


@dataclass(frozen=True, slots=True)
class AccessChecker:
    """Answers for one person, from what was loaded at the start of the request or task."""

    access: Access

    def allows(self, permission: str, obj: Model | None) -> bool:
        """Whether the permission is held for the object, or anywhere when there is none.

        A stored object is checked by its row in the database and not by its values in memory;
        only a row that is not stored yet is read from its values.
        """
        if obj is None:
            return holds(self.access, permission)
        if obj._state.adding:
            return reaches_new(access=self.access, permission=permission, row=obj)
        condition = visible_q(access=self.access, permission=permission, model=type(obj))
        if condition == EVERYTHING:
            return True
        return type(obj)._base_manager.filter(condition, pk=obj.pk).exists()

    def visible(self, queryset: QuerySetT, permission: str) -> QuerySetT:
        """The rows of the set for which the permission is held."""
        return queryset.filter(
            visible_q(access=self.access, permission=permission, model=queryset.model)
        )


_UNBOUNDED = Reach(own=True, everywhere=True)


def reach_of(actor: Actor, permission: str) -> Reach:
    """How far a permission reaches for an actor: without bounds for the system."""
    if isinstance(actor.checker, AccessChecker):
        return actor.checker.access.reach(permission)
    return _UNBOUNDED if isinstance(actor.checker, AllowsEverything) else NO_REACH
