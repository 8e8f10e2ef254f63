"""What happened to commissions: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionAccrued(Event):
    """It is reckoned by the day on which it was earned, and counts on its effective day."""

    app: ClassVar[str] = "commissions"
    subject_type: ClassVar[str] = "commissions.commission"

    owner_id: UUID
    deal_id: UUID
    payment_id: UUID
    amount_minor: int
    currency: str
    earned_on: date
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionDelayed(Event):
    """A commission is earned, but its plan or its exchange rate is not known yet."""

    app: ClassVar[str] = "commissions"
    subject_type: ClassVar[str] = "commissions.commission"

    owner_id: UUID
    deal_id: UUID
    payment_id: UUID
    missing: str
    earned_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CommissionPlanAdded(Event):
    app: ClassVar[str] = "commissions"
    subject_type: ClassVar[str] = "commissions.commissionplan"

    percent: Decimal
    starts_on: date
