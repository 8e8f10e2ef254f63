"""Teams, their leads and their members.

Whoever joins or leads gets the rights by a membership in the team's unit, and access applies its
own rules to that: a lead gives nothing that the lead does not hold. Locks are taken in the order
in which access takes them when it tells teams: the organization's rights, then the team.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from shared_apps.access import services as access
from shared_apps.access.administration import lock_memberships
from shared_apps.access.bundles import SALESPERSON, TEAM_LEAD
from shared_apps.access.models import Membership, Unit, UnitKind
from shared_apps.access.selectors import root_unit, users_visible_to
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import RuleRefused
from shared_apps.kernel.operations import step

from .errors import LeadStays, NotAMember, TeamClosed, TeamNameTaken, TeamNotEmpty
from .events import (
    TeamChanged,
    TeamCreated,
    TeamLeadAppointed,
    TeamMemberAdded,
    TeamMemberRemoved,
)
from .events import TeamClosed as TeamWasClosed
from .models import Team
from .selectors import teams_visible_to


@transaction.atomic
def create_team(
    *, actor: Actor, name: str, parent_id: UUID | None = None, lead_id: UUID | None = None
) -> Team:
    """Found a team or, where teams are to stand below it, an office.

    :raises NotFound: the parent or the lead does not exist or is not visible.
    :raises Forbidden: the actor founds no teams there.
    :raises TeamNameTaken: an open team has this name.
    :raises TeamClosed: the parent is closed.
    """
    actor = lock_memberships(actor)
    parent = _open_team(actor, parent_id) if parent_id else None
    above = parent.unit if parent else root_unit()
    actor.require("teams.add_team", above)
    _check_name_free(name)
    unit = access.add_unit(parent=above, kind=UnitKind.TEAM, name=name, actor=actor)
    team = Team(name=name, unit=unit, parent=parent, created_by_id=actor.user_id)
    team.save(force_insert=True)
    audit.record(
        TeamCreated(subject_id=team.pk, unit_id=unit.pk, parent_id=parent.pk if parent else None),
        actor=actor,
    )
    if lead_id is not None:
        _appoint(team, lead_id, actor=actor)
    return team


@transaction.atomic
def change_team(
    *,
    actor: Actor,
    team_id: UUID,
    changes: dict[str, object],
    expected_version: int | None = None,
) -> Team:
    """Rename a team or move it below another (``name``, ``parent_id``; None is the top).

    :raises NotFound: the team or the parent does not exist or is not visible.
    :raises Forbidden: the actor does not change it.
    :raises PreconditionFailed: the team has another version than expected.
    :raises TeamClosed: it or the parent is closed.
    :raises TeamNameTaken: an open team has this name.
    :raises RuleRefused: the parent lies below the team.
    """
    actor = lock_memberships(actor)
    team = _locked_team(actor, team_id)
    actor.require("teams.change_team", team)
    team.check_version(expected_version)
    if not team.is_open:
        raise TeamClosed
    changed = []
    if "name" in changes and changes["name"] != team.name:
        name = str(changes["name"])
        _check_name_free(name)
        access.rename_unit(unit=team.unit, name=name, actor=actor)
        team.name = name
        changed.append("name")
    if "parent_id" in changes and changes["parent_id"] != team.parent_id:
        _move(team, changes["parent_id"], actor=actor)
        changed.append("parent_id")
    if changed:
        _save(team, "name", "parent", actor=actor)
        audit.record(TeamChanged(subject_id=team.pk, fields=tuple(changed)), actor=actor)
    return team


@transaction.atomic
def appoint_lead(*, actor: Actor, team_id: UUID, user_id: UUID | None) -> Team:
    """Let a person lead the team; the former lead leads it no longer. None leaves it without.

    :raises NotFound: the team or the person does not exist or is not visible.
    :raises Forbidden: the actor does not change the team.
    :raises OwnRights: the actor's own appointment, without the right to give any role.
    :raises TeamClosed: it is closed.
    """
    actor = lock_memberships(actor)
    team = _locked_team(actor, team_id)
    actor.require("teams.change_team", team)
    if not team.is_open:
        raise TeamClosed
    _appoint(team, user_id, actor=actor)
    return team


@transaction.atomic
def add_member(
    *, actor: Actor, team_id: UUID, user_id: UUID, role: str = SALESPERSON
) -> Membership:
    """Take a person into the team.

    :raises NotFound: the team, the person or the role does not exist or is not visible.
    :raises Forbidden: the actor does not manage this team's members.
    :raises RoleBeyondOwnRights: the role holds more in the team than the actor does.
    :raises RuleRefused: the role is the lead's; a lead is appointed.
    :raises AlreadyMember: the person is in the team in this role.
    :raises TeamClosed: it is closed.
    """
    actor = lock_memberships(actor)
    team = _locked_team(actor, team_id)
    actor.require("teams.manage_members", team)
    if not team.is_open:
        raise TeamClosed
    if role == TEAM_LEAD:
        raise RuleRefused("A lead is appointed, not added.")
    membership = access.grant_membership(
        actor=actor, user_id=user_id, unit_id=team.unit_id, role=role
    )
    audit.record(TeamMemberAdded(subject_id=team.pk, user_id=user_id, role=role), actor=actor)
    return membership


@transaction.atomic
def remove_member(*, actor: Actor, team_id: UUID, user_id: UUID) -> None:
    """Take a person out of the team, in all roles. The records that the person owns stay.

    :raises NotFound: the team does not exist or is not visible.
    :raises Forbidden: the actor does not manage this team's members.
    :raises NotAMember: the person is not in the team.
    :raises LeadStays: the person leads the team.
    :raises RoleBeyondOwnRights: the person holds more in the team than the actor does.
    """
    actor = lock_memberships(actor)
    team = _locked_team(actor, team_id)
    actor.require("teams.manage_members", team)
    if team.lead_id == user_id:
        raise LeadStays
    held = Membership.objects.filter(unit_id=team.unit_id, user_id=user_id, is_active=True)
    ids = list(held.values_list("pk", flat=True))
    if not ids:
        raise NotAMember
    access.revoke_memberships(actor=actor, membership_ids=ids)
    audit.record(TeamMemberRemoved(subject_id=team.pk, user_id=user_id), actor=actor)


@transaction.atomic
def close_team(*, actor: Actor, team_id: UUID) -> Team:
    """Close an empty team; its name is free again and its records stay where they are.

    :raises NotFound: it does not exist or is not visible.
    :raises Forbidden: the actor does not change it.
    :raises TeamClosed: it was closed before.
    :raises TeamNotEmpty: people or open teams still belong to it.
    """
    actor = lock_memberships(actor)
    team = _locked_team(actor, team_id)
    actor.require("teams.change_team", team)
    if not team.is_open:
        raise TeamClosed
    if team.lead_id is not None:
        _appoint(team, None, actor=actor)
    people = Membership.objects.filter(unit_id=team.unit_id, is_active=True)
    if people.exists() or Team.objects.open().filter(parent=team).exists():
        raise TeamNotEmpty
    team.closed_at = clock.now()
    _save(team, "closed_at", actor=actor)
    audit.record(TeamWasClosed(subject_id=team.pk), actor=actor)
    return team


@step
def forget_leads(*, units_and_people: Sequence[tuple[UUID, UUID]], actor: Actor) -> None:
    """Step: access has ended the memberships by which these people led the teams of these units."""
    ended = set(units_and_people)
    led = Team.objects.filter(unit_id__in={unit_id for unit_id, _ in ended}).order_by("pk")
    for team in led.for_change():
        former_id = team.lead_id
        if (team.unit_id, former_id) in ended:
            team.lead_id = None
            _save(team, "lead", actor=actor)
            audit.record(
                TeamLeadAppointed(subject_id=team.pk, user_id=None, former_user_id=former_id),
                actor=actor,
            )


def _locked_team(actor: Actor, team_id: UUID) -> Team:
    return teams_visible_to(actor).select_related(None).locked(team_id)


def _open_team(actor: Actor, team_id: UUID) -> Team:
    team = _locked_team(actor, team_id)
    if not team.is_open:
        raise TeamClosed("The team above is closed.")
    return team


def _check_name_free(name: str) -> None:
    if Team.objects.open().filter(name=name).exists():
        raise TeamNameTaken


def _move(team: Team, parent_id: object, *, actor: Actor) -> None:
    parent = _open_team(actor, parent_id) if isinstance(parent_id, UUID) else None
    above: Unit = parent.unit if parent else root_unit()
    actor.require("teams.add_team", above)
    access.move_unit(unit=team.unit, parent=above, actor=actor)
    team.parent = parent


def _appoint(team: Team, user_id: UUID | None, *, actor: Actor) -> None:
    former_id = team.lead_id
    if former_id == user_id:
        return
    if user_id is not None:
        users_visible_to(actor).obtain(user_id)
    if former_id is not None:
        held = Membership.objects.filter(
            unit_id=team.unit_id, user_id=former_id, role__code=TEAM_LEAD, is_active=True
        )
        access.revoke_memberships(
            actor=actor, membership_ids=list(held.values_list("pk", flat=True))
        )
        # The end of the membership has cleared the lead, and raised the version, by subscription.
        team.refresh_from_db()
    if user_id is None and team.lead_id is None:
        return
    if user_id is not None:
        access.grant_membership(actor=actor, user_id=user_id, unit_id=team.unit_id, role=TEAM_LEAD)
    team.lead_id = user_id
    _save(team, "lead", actor=actor)
    audit.record(
        TeamLeadAppointed(subject_id=team.pk, user_id=user_id, former_user_id=former_id),
        actor=actor,
    )


def _save(team: Team, *fields: str, actor: Actor) -> None:
    team.raise_version()
    team.updated_by_id = actor.user_id
    team.save(update_fields=[*fields, "version", "updated_at", "updated_by_id"])
