"""Credit limits over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.limits import services
from tenant_apps.limits.api import filters
from tenant_apps.limits.api.serializers import (
    CreditLimitIn,
    CreditLimitOut,
    CreditPositionOut,
    LimitOverrideIn,
    LimitOverrideOut,
    OverrunOut,
)
from tenant_apps.limits.models import CreditLimit, LimitOverride, Overrun
from tenant_apps.limits.selectors import (
    credit_positions_visible_to,
    limits_visible_to,
    overrides_visible_to,
    overruns_visible_to,
)


class CreditLimitViewSet(Listing, Retrieving, OrganizationViewSet):
    """Every decision on a client's credit, newest first. A new one replaces the one before."""

    queryset = CreditLimit.objects.none()
    serializer_class = CreditLimitOut
    input_serializers = {"create": CreditLimitIn}
    required_permissions = {
        "list": "limits.view_creditlimit",
        "retrieve": "limits.view_creditlimit",
        "create": "limits.add_creditlimit",
    }
    money_actions = frozenset({"create"})
    filterset_class = filters.CreditLimitFilter
    ordering_fields = ("created_at", "effective_on")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> Any:
        return limits_visible_to(self.actor, client_id=self.kwargs["client_id"])

    def create(self, request: Request, client_id: UUID) -> Response:
        """Decide how much a client may owe, from a day on."""
        return self.answer(
            services.set_limit(actor=self.actor, client_id=client_id, **self.read_input())
        )


class CreditPositionViewSet(OrganizationViewSet):
    """What a client may owe and owes, in each currency in which its credit was decided on."""

    queryset = CreditLimit.objects.none()
    serializer_class = CreditPositionOut
    required_permissions = {"list": "limits.view_creditlimit"}
    # As many rows as the client has currencies.
    pagination_class = None

    def list(self, request: Request, client_id: UUID) -> Response:
        """Limit, used, held and available of a client."""
        return self.answer_all(credit_positions_visible_to(self.actor, client_id=client_id))


class LimitOverrideViewSet(Listing, Retrieving, OrganizationViewSet):
    """Requests to let one invoice above a limit; another person signs them as approvals."""

    queryset = LimitOverride.objects.none()
    serializer_class = LimitOverrideOut
    input_serializers = {"create": LimitOverrideIn}
    required_permissions = {
        "list": "limits.view_limitoverride",
        "retrieve": "limits.view_limitoverride",
        "create": "limits.add_limitoverride",
    }
    money_actions = frozenset({"create"})
    filterset_class = filters.LimitOverrideFilter
    ordering_fields = ("created_at", "valid_until")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> Any:
        return overrides_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Ask for an override, with the reason."""
        return self.answer(services.request_override(actor=self.actor, **self.read_input()))


class OverrunViewSet(Listing, Retrieving, OrganizationViewSet):
    """What was let pass above a limit: warned, overridden, imported or booked by hand."""

    queryset = Overrun.objects.none()
    serializer_class = OverrunOut
    required_permissions = {
        "list": "limits.view_overrun",
        "retrieve": "limits.view_overrun",
    }
    filterset_class = filters.OverrunFilter
    ordering_fields = ("created_at",)
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> Any:
        return overruns_visible_to(self.actor)
