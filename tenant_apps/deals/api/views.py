"""Deals, the stages they go through, and what was done about them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.serializers import FieldChangeOut
from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.deals import services
from tenant_apps.deals.api.filters import ActivityFilter, DealFilter, StageChangeFilter
from tenant_apps.deals.api.serializers import (
    ActivityIn,
    ActivityOut,
    AssignmentIn,
    DealIn,
    DealOut,
    NewDealIn,
    StageChangeIn,
    StageChangeOut,
    StageReachedOut,
)
from tenant_apps.deals.models import Activity, Deal, StageChange
from tenant_apps.deals.selectors import (
    activities_visible_to,
    deals_visible_to,
    field_history_visible_to,
    place_of,
    stage_changes_visible_to,
    with_relations,
)


class DealViewSet(Listing, Retrieving, OrganizationViewSet):
    """Opportunities to sell, from first sight to won or lost."""

    queryset = Deal.objects.none()
    serializer_class = DealOut
    input_serializers = {
        "create": NewDealIn,
        "partial_update": DealIn,
        "assignment": AssignmentIn,
    }
    # Other rights may also be given on a single deal, so only the services can tell.
    required_permissions = {"create": "deals.add_deal"}
    filterset_class = DealFilter
    ordering_fields = {
        "created_at": "created_at",
        "reference": "reference",
        "value": "value_minor",
        "engaged_on": "engaged_on",
        "closed_on": "closed_on",
    }

    def get_queryset(self) -> Any:
        return with_relations(deals_visible_to(self.actor), shown=self.expanded(), actor=self.actor)

    def create(self, request: Request) -> Response:
        """Record an open deal."""
        values = self.read_input()
        owner_id, unit_id = place_of(self.actor, owner_id=values.pop("owner_id", None))
        new = services.NewDeal(owner_id=owner_id, unit_id=unit_id, **values)
        return self.answer(services.record_deals(actor=self.actor, deals=[new])[0])

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change an open deal; a closed one changes nothing but its name."""
        return self.answer(
            services.change_deal(
                actor=self.actor,
                deal_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )

    def assignment(self, request: Request, pk: UUID) -> Response:
        """Give an open deal to another owner."""
        return self.answer(
            services.assign_deals(actor=self.actor, deal_ids=[pk], **self.read_input())[0]
        )


class StageChangeViewSet(Listing, Retrieving, OrganizationViewSet):
    """The stages a deal went through. Winning it issues its invoice."""

    queryset = StageChange.objects.none()
    serializer_class = StageChangeOut
    input_serializers = {"create": StageChangeIn}
    output_serializers = {"create": StageReachedOut}
    money_actions = frozenset({"create"})
    filterset_class = StageChangeFilter
    ordering_fields = ("created_at", "occurred_on")

    def get_queryset(self) -> Any:
        return stage_changes_visible_to(self.actor, deal_id=self.kwargs["deal_id"])

    def create(self, request: Request, deal_id: UUID) -> Response:
        """Move a deal to another stage."""
        move = services.StageMove(deal_id=deal_id, **self.read_input())
        return self.answer(services.change_stages(actor=self.actor, moves=[move])[0])


class ActivityViewSet(Listing, Retrieving, OrganizationViewSet):
    """The log of what people did about a deal."""

    queryset = Activity.objects.none()
    serializer_class = ActivityOut
    input_serializers = {"create": ActivityIn}
    filterset_class = ActivityFilter
    ordering_fields = ("created_at", "happened_at")

    def get_queryset(self) -> Any:
        return activities_visible_to(self.actor, deal_id=self.kwargs["deal_id"])

    def create(self, request: Request, deal_id: UUID) -> Response:
        """Note what was done."""
        return self.answer(
            services.note_activity(actor=self.actor, deal_id=deal_id, **self.read_input())
        )


class DealHistoryViewSet(Listing, OrganizationViewSet):
    """Every change of a deal's fields, newest first: its versions."""

    queryset = LogEntry.objects.none()
    serializer_class = FieldChangeOut
    ordering = ("-id",)

    def get_queryset(self) -> Any:
        return field_history_visible_to(self.actor, deal_id=self.kwargs["deal_id"])
