"""What happened to teams."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamCreated(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
    unit_id: UUID
    parent_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChanged(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamLeadAppointed(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
    user_id: UUID | None
    former_user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMemberAdded(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
    user_id: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamMemberRemoved(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamClosed(Event):
    app: ClassVar[str] = "teams"
    subject_type: ClassVar[str] = "teams.team"
