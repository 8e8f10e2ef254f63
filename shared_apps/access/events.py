"""What happened to units, roles and the rights of people."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCreated(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.unit"
    kind: str
    parent_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRenamed(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.unit"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMoved(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.unit"
    from_parent_id: UUID
    to_parent_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCreated(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.role"
    code: str
    grants: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.role"
    code: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRemoved(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.role"
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipGranted(Event):
    """``to_self`` marks an admin who widened the own rights."""

    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.membership"
    user_id: UUID
    unit_id: UUID
    role: str
    to_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRevoked(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.membership"
    user_id: UUID
    unit_id: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGranted(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.object_grant"
    user_id: UUID
    permission: str
    object_type: str
    object_id: UUID
    to_self: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectGrantRevoked(Event):
    app: ClassVar[str] = "access"
    subject_type: ClassVar[str] = "access.object_grant"
    user_id: UUID
    permission: str
    object_type: str
    object_id: UUID
