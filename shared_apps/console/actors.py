"""The actor of a platform super-admin: organizations and plans, and nothing inside them."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from shared_apps.accounts.actors import visitor
from shared_apps.kernel.actor import Actor

PLATFORM_PERMISSIONS = frozenset(
    {
        "tenants.view_organization",
        "tenants.change_organization",
        "plans.view_plan",
        # Posts nothing: it lets the organization's own people post again.
        "ledger.start_postings",
    }
)


class PlatformChecker:
    """Allows what platform staff may do. No money, no people, no papers of organizations."""

    def allows(self, permission: str, obj: Any = None) -> bool:
        return permission in PLATFORM_PERMISSIONS

    def visible(self, queryset: QuerySet[Any], permission: str) -> QuerySet[Any]:
        return queryset.all() if self.allows(permission) else queryset.none()


def super_admin(request: HttpRequest) -> Actor:
    """The super-admin who is signed in to the console with a second factor."""
    return visitor(request).changed(
        user_id=request.user.pk, roles=("super_admin",), checker=PlatformChecker()
    )
