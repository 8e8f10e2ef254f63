"""What happened to payments: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecorded(Event):
    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"

    reference: str
    deal_id: UUID
    method: str
    amount_minor: int
    currency: str
    paid_on: date
    recorded_by: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAmended(Event):
    """A payment was edited while it waited; the signature asked for before is void."""

    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"

    deal_id: UUID
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVerified(Event):
    """Owner and unit are the deal's at this moment."""

    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"

    reference: str
    deal_id: UUID
    client_id: UUID
    owner_id: UUID
    unit_id: UUID
    method: str
    amount_minor: int
    currency: str
    effective_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRejected(Event):
    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"

    reference: str
    deal_id: UUID
    method: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentWithdrawn(Event):
    """Whoever recorded it took it back before anybody decided."""

    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.payment"

    reference: str
    deal_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentInvoicePrinted(Event):
    """Its PDF was made."""

    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.paymentinvoice"

    payment_id: UUID
    document_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentAllocated(Event):
    """A part of a payment was used for an invoice. The subject is the allocation's row."""

    app: ClassVar[str] = "payments"
    subject_type: ClassVar[str] = "payments.allocation"

    payment_id: UUID
    invoice_id: UUID
    deal_id: UUID
    amount_minor: int
    collected_before_minor: int
    currency: str
    effective_on: date
