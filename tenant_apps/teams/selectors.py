"""What other apps ask of teams."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from shared_apps.access.models import Membership
from shared_apps.kernel.actor import Actor

from .models import Team, TeamQuerySet


def teams_visible_to(actor: Actor) -> TeamQuerySet:
    """The teams, closed ones included, that the actor may see."""
    visible: TeamQuerySet = actor.visible(Team.objects.select_related("lead"), "teams.view_team")
    return visible


def members_of(*, team: Team) -> QuerySet[Membership]:
    """The active memberships in exactly this team, with their people and roles."""
    return (
        Membership.objects.active()
        .filter(unit_id=team.unit_id)
        .select_related("user", "role")
        .order_by("user__full_name", "pk")
    )


def team_of_unit(*, unit_id: UUID) -> Team | None:
    """The team whose unit this is."""
    return Team.objects.filter(unit_id=unit_id).first()


def teams_of_units(*, unit_ids: Iterable[UUID]) -> dict[UUID, Team]:
    """Teams by their units, with parents and leads, in one statement."""
    rows = Team.objects.filter(unit_id__in=set(unit_ids)).select_related("parent", "lead")
    return {team.unit_id: team for team in rows}
