"""Commissions over HTTP."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.commissions import services
from tenant_apps.commissions.api import filters, serializers
from tenant_apps.commissions.models import Commission, CommissionPlan
from tenant_apps.commissions.selectors import (
    commissions_visible_to,
    explanation_of,
    plans_visible_to,
)


class CommissionViewSet(Listing, Retrieving, OrganizationViewSet):
    """What the owners of deals have earned on money that came in."""

    serializer_class = serializers.CommissionOut
    output_serializers = {"explanation": serializers.ExplanationOut}
    filterset_class = filters.CommissionFilter
    ordering_fields = {"created_at": "created_at", "effective_on": "effective_on"}
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Commission]:
        return commissions_visible_to(self.actor).select_related(
            "owner", "deal", "payment", "invoice"
        )

    @action(detail=True, methods=["get"])
    def explanation(self, request: Request, pk: UUID) -> Response:
        """Why the commission is what it is: basis, steps, and the result worked out once more."""
        return self.answer(explanation_of(commission=self.get_object()))


class CommissionPlanViewSet(Listing, Retrieving, OrganizationViewSet):
    """The percentages, each from its day on."""

    # A plan completes what waited for one, and that posts.
    money_actions = frozenset({"create"})
    serializer_class = serializers.CommissionPlanOut
    input_serializers = {"create": serializers.CommissionPlanIn}
    ordering_fields = ("starts_on",)
    ordering = ("-starts_on", "-id")

    def get_queryset(self) -> QuerySet[CommissionPlan]:
        return plans_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Set the percentage from a day on; it never reaches back to what has accrued."""
        return self.answer(services.add_plan(actor=self.actor, **self.read_input()))
