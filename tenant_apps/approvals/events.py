"""What happened to requests for approval."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEvent(Event):
    """What every event of an approval tells: for what it was asked."""

    app: ClassVar[str] = "approvals"
    subject_type: ClassVar[str] = "approvals.approval"
    about_type: str
    about_id: UUID
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSubmitted(ApprovalEvent):
    maker_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSigned(ApprovalEvent):
    signer_id: UUID
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven(ApprovalEvent):
    maker_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRejected(ApprovalEvent):
    signer_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecalled(ApprovalEvent):
    maker_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalVoided(ApprovalEvent):
    fields: tuple[str, ...]
