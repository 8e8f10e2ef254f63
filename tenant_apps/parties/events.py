"""What happened to parties: ids and kinds only, never names or addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRecorded(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.party"

    owner_id: UUID | None
    unit_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientChanged(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.party"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGiven(Event):
    """The party is this to the organization now, beside what it was before."""

    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.party"

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPartyRecorded(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.party"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactAdded(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.contact"

    party_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactChanged(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.contact"

    party_id: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRemoved(Event):
    app: ClassVar[str] = "parties"
    subject_type: ClassVar[str] = "parties.contact"

    party_id: UUID
