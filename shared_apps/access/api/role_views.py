"""Units, roles, permissions and memberships."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access import services
from shared_apps.access.api.filters import MembershipFilter, UnitFilter
from shared_apps.access.api.serializers import (
    MembershipIn,
    MembershipOut,
    PermissionOut,
    RoleChangeIn,
    RoleIn,
    RoleOut,
    UnitOut,
)
from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.access.models import Membership, Role, RolePermission, Unit
from shared_apps.access.selectors import (
    grantable_permissions,
    memberships_visible_to,
    roles_visible_to,
    units_visible_to,
)
from shared_apps.kernel.api.views import Listing, Retrieving


class UnitViewSet(Listing, Retrieving, OrganizationViewSet):
    """The tree of units: the organization, its teams, parties and groups."""

    serializer_class = UnitOut
    filterset_class = UnitFilter
    ordering_fields = ("name", "created_at")
    ordering = ("name",)
    required_permissions = {"list": "access.view_unit"}

    def get_queryset(self) -> QuerySet[Unit]:
        return units_visible_to(self.actor)


class RoleViewSet(Listing, Retrieving, OrganizationViewSet):
    """Roles as bundles of permissions; the standard ones are fixed."""

    serializer_class = RoleOut
    input_serializers = {"create": RoleIn, "partial_update": RoleChangeIn}
    ordering_fields = ("code", "name")
    ordering = ("code",)
    required_permissions = {"list": "access.view_role"}
    step_up = frozenset({"create", "partial_update", "destroy"})

    def get_queryset(self) -> QuerySet[Role]:
        grants = RolePermission.objects.select_related(
            "permission__content_type", "unless_role"
        ).order_by("permission__content_type__app_label", "permission__codename")
        return roles_visible_to(self.actor).prefetch_related(Prefetch("grants", queryset=grants))

    def create(self, request: Request) -> Response:
        """Add a role of the organization's own."""
        given = _with_grants(self.read_input())
        role = services.create_role(actor=self.actor, **given)
        return self.answer(self.get_queryset().get(pk=role.pk))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a role of the organization's own or replace its grants."""
        services.change_role(actor=self.actor, role_id=pk, **_with_grants(self.read_input()))
        return self.answer(self.get_object())

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove a role that nobody ever held."""
        services.remove_role(actor=self.actor, role_id=pk)
        return self.answer()


def _with_grants(given: dict[str, Any]) -> dict[str, Any]:
    if "grants" in given:
        given["grants"] = [services.GrantOfRole(**grant) for grant in given["grants"]]
    return given


class PermissionsView(OrganizationView):
    """The permissions that roles can hold."""

    serializer_class = PermissionOut
    required_permissions = {"get": "access.view_role"}
    unpaged = frozenset({"get"})

    def get(self, request: Request) -> Response:
        """All permissions by name."""
        return self.answer_all(grantable_permissions())


class MembershipViewSet(Listing, Retrieving, OrganizationViewSet):
    """Who holds which role in which unit. Ended ones stay, inactive."""

    serializer_class = MembershipOut
    input_serializers = {"create": MembershipIn}
    filterset_class = MembershipFilter
    step_up = frozenset({"create", "destroy"})
    ordering_fields = ("created_at",)
    ordering = ("created_at",)

    def get_queryset(self) -> QuerySet[Membership]:
        return memberships_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Let a person hold a role in a unit."""
        return self.answer(services.grant_membership(actor=self.actor, **self.read_input()))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """End a membership."""
        services.revoke_membership(actor=self.actor, membership_id=pk)
        return self.answer()
