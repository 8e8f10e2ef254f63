"""What happened to invoices: ids and values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID

from shared_apps.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceEvent(Event):
    """What every event of an invoice carries."""

    number: str
    deal_id: UUID | None
    recipient_id: UUID
    owner_id: UUID
    unit_id: UUID
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceIssued(InvoiceEvent):
    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoice"

    net_minor: int
    tax_minor: int
    total_minor: int
    issued_on: date
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePartlyPaid(InvoiceEvent):
    """Something was allocated (or, below zero, taken back) and something is left to pay."""

    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoice"

    amount_minor: int
    outstanding_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePaid(InvoiceEvent):
    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoice"

    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceApproved(InvoiceEvent):
    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoice"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoicePrinted(InvoiceEvent):
    """Its PDF was made."""

    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoice"

    document_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSeriesChanged(Event):
    app: ClassVar[str] = "invoices"
    subject_type: ClassVar[str] = "invoices.invoiceseries"

    fields: tuple[str, ...]
