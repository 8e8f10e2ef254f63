"""What happened to deals: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DealEvent(Event):
    """What every event of a deal carries, so that a rollup needs no query."""

    reference: str
    owner_id: UUID
    unit_id: UUID
    client_id: UUID | None
    product_id: UUID | None
    value_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DealRecorded(DealEvent):
    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    stage: str
    recorded_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DealChanged(DealEvent):
    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DealAssigned(DealEvent):
    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    previous_owner_id: UUID
    previous_unit_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DealStageChanged(DealEvent):
    """An open deal moved to another open stage, or a lost one was opened again."""

    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    from_stage: str
    to_stage: str
    occurred_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWon(DealEvent):
    """The deal was won on this day; its invoice is made in the same transaction.

    `credit_bypass_reason` says why no credit limit may refuse that invoice.
    """

    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    from_stage: str
    closed_on: date
    credit_bypass_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DealLost(DealEvent):
    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.deal"

    from_stage: str
    closed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityNoted(Event):
    app: ClassVar[str] = "deals"
    subject_type: ClassVar[str] = "deals.activity"

    deal_id: UUID
    kind: str
