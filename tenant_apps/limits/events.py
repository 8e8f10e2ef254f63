"""What happened to credit limits: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimitEvent(Event):
    """What every event of a limit carries; without an amount it was taken away."""

    client_id: UUID
    currency: str
    amount_minor: int | None
    mode: str
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimitSet(CreditLimitEvent):
    """Somebody decided; it takes effect on its day."""

    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.creditlimit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimitTookEffect(CreditLimitEvent):
    """The day of a decision came."""

    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.creditlimit"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditLimitPassed(Event):
    """A client was let above its limit. The subject is the overrun; `cause` says why."""

    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.overrun"

    client_id: UUID
    source_type: str
    source_id: UUID
    deal_id: UUID | None
    cause: str
    currency: str
    amount_minor: int
    limit_minor: int
    used_minor: int
    override_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrideEvent(Event):
    """What every event of an override carries."""

    client_id: UUID
    deal_id: UUID | None
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrideRequested(LimitOverrideEvent):
    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.limitoverride"

    valid_until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrideApproved(LimitOverrideEvent):
    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.limitoverride"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrideDeclined(LimitOverrideEvent):
    """Somebody said no, or its maker took it back."""

    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.limitoverride"

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitOverrideUsed(LimitOverrideEvent):
    """An invoice needed it."""

    app: ClassVar[str] = "limits"
    subject_type: ClassVar[str] = "limits.limitoverride"

    source_id: UUID
