"""Who acts: a person through the API or a page, or the system in a task."""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet

from .errors import Forbidden

QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])


class Checker(Protocol):
    """Knows what one actor may see and do. The app `access` supplies it."""

    def allows(self, permission: str, obj: Model | None) -> bool:
        """Whether the permission is held: for `obj`, or anywhere when there is none."""

    def visible(self, queryset: QuerySetT, permission: str) -> QuerySetT:
        """The rows of the set for which the permission is held."""


class AllowsNothing:
    """The checker of an actor about whom nothing is known."""

    def allows(self, permission: str, obj: Model | None) -> bool:
        return False

    def visible(self, queryset: QuerySetT, permission: str) -> QuerySetT:
        return queryset.none()


class AllowsEverything:
    """The checker of the system itself."""

    def allows(self, permission: str, obj: Model | None) -> bool:
        return True

    def visible(self, queryset: QuerySetT, permission: str) -> QuerySetT:
        return queryset.all()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts, in which session and request, on whose behalf, and what is allowed.

    `label` is "user" for a person and "system:..." for the system. A quiet actor's acts
    send no mail and wake no consumer (bulk imports).
    """

    request_id: str
    user_id: UUID | None = None
    session_id: UUID | None = None
    roles: tuple[str, ...] = ()
    ip_address: str = ""
    user_agent: str = ""
    on_behalf_of: UUID | None = None
    label: str = "user"
    quiet: bool = False
    checker: Checker = field(default_factory=AllowsNothing, repr=False, compare=False)

    @property
    def is_system(self) -> bool:
        return self.label != "user"

    def allows(self, permission: str, obj: Model | None = None) -> bool:
        """Whether the actor holds `permission` ("payments.verify_payment"), on `obj` if given."""
        return self.checker.allows(permission, obj)

    def require(self, permission: str, obj: Model | None = None) -> None:
        """:raises Forbidden: the actor does not hold the permission; it is named."""
        if not self.allows(permission, obj):
            raise Forbidden(
                f"This needs the permission {permission}.", extra={"permission": permission}
            )

    def visible(self, queryset: QuerySetT, permission: str) -> QuerySetT:
        """The rows of the set that the actor may see with the permission."""
        return self.checker.visible(queryset, permission)

    def acting_for(self, user_id: UUID) -> "Actor":
        """The same actor, acting on another user's behalf."""
        return replace(self, on_behalf_of=user_id)

    def quietly(self) -> "Actor":
        """The same actor, whose acts send nothing out."""
        return replace(self, quiet=True)

    def changed(self, **values: Any) -> "Actor":
        """The same actor with some values replaced."""
        return replace(self, **values)
