from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.access.models import Membership
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.teams import services
from tenant_apps.teams.api.filters import TeamFilter
from tenant_apps.teams.api.serializers import (
    LeadIn,
    MemberIn,
    MemberOut,
    TeamChangeIn,
    TeamIn,
    TeamOut,
)
from tenant_apps.teams.models import TeamQuerySet
from tenant_apps.teams.selectors import members_of, teams_visible_to


class TeamViewSet(Listing, Retrieving, OrganizationViewSet):
    """Teams, and offices as teams above teams."""

    serializer_class = TeamOut
    input_serializers = {
        "create": TeamIn,
        "partial_update": TeamChangeIn,
        "lead": LeadIn,
    }
    filterset_class = TeamFilter
    ordering_fields = ("name", "created_at")
    ordering = ("name",)
    required_permissions = {"list": "teams.view_team"}
    # Both may give a role.
    step_up = frozenset({"create", "lead"})

    def get_queryset(self) -> TeamQuerySet:
        return teams_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Found a team or an office."""
        return self.answer(services.create_team(actor=self.actor, **self.read_input()))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a team or move it below another."""
        team = services.change_team(
            actor=self.actor,
            team_id=pk,
            changes=self.read_input(),
            expected_version=self.expected_version(),
        )
        return self.answer(team)

    @action(detail=True, methods=["put"])
    def lead(self, request: Request, pk: UUID) -> Response:
        """Appoint a lead, or leave the team without one."""
        return self.answer(services.appoint_lead(actor=self.actor, team_id=pk, **self.read_input()))

    @action(detail=True, methods=["post"])
    def closing(self, request: Request, pk: UUID) -> Response:
        """Close an empty team."""
        return self.answer(services.close_team(actor=self.actor, team_id=pk))


class TeamMemberViewSet(Listing, OrganizationViewSet):
    """The people of one team."""

    serializer_class = MemberOut
    input_serializers = {"create": MemberIn}
    step_up = frozenset({"create"})
    queryset = Membership.objects.none()
    ordering = ("created_at",)

    def get_queryset(self) -> QuerySet[Membership]:
        team = teams_visible_to(self.actor).obtain(self.kwargs["team_id"])
        return members_of(team=team)

    def create(self, request: Request, team_id: UUID) -> Response:
        """Take a person into the team."""
        return self.answer(
            services.add_member(actor=self.actor, team_id=team_id, **self.read_input())
        )

    def destroy(self, request: Request, team_id: UUID, user_id: UUID) -> Response:
        """Take a person out of the team."""
        services.remove_member(actor=self.actor, team_id=team_id, user_id=user_id)
        return self.answer()
