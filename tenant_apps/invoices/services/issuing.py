"""Issuing invoices: numbers, tax, rows, posting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.invoices import errors, events
from tenant_apps.invoices.models import (
    Invoice,
    InvoiceLine,
    InvoiceSeries,
    InvoiceTaxTotal,
)
from tenant_apps.invoices.services.numbering import take_numbers
from tenant_apps.invoices.tax import InvoiceTax, TaxableLine, calculate_tax, line_net
from tenant_apps.ledger.services import Posting, post
from tenant_apps.limits.models import Cause
from tenant_apps.limits.services import Movement, count_receivables
from tenant_apps.parties.models import Party
from tenant_apps.parties.selectors import own_party, parties_by_id
from tenant_apps.products.models import TaxRate

ROWS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLine:
    """One thing to bill; `unit_price` is before tax."""

    description: str
    unit_price: Money
    tax_rate: TaxRate
    quantity: Decimal = Decimal(1)
    product_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """What is billed to whom; owner and unit are the deal's.

    With a `credit_bypass_reason` no credit limit refuses it, and this reason is recorded.
    """

    recipient_id: UUID
    owner_id: UUID
    unit_id: UUID
    currency: str
    issued_on: date
    lines: tuple[NewLine, ...]
    deal_id: UUID | None = None
    credit_bypass_reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    new: NewInvoice
    nets: tuple[Money, ...]
    tax: InvoiceTax


@step
@transaction.atomic
def issue_invoices(*, actor: Actor, invoices: Sequence[NewInvoice]) -> list[Invoice]:
    """Number, store and post invoices, all of them or none; answers them in the given order.

    A step of what makes invoices (winning a deal), which has required the right to do that.

    :raises InvoiceWithoutLines: an invoice has no line.
    :raises DealAlreadyInvoiced: a deal has its invoice.
    :raises NoDefaultSeries: the organization was never seeded.
    :raises CurrencyMismatch: a line is in another currency than its invoice.
    :raises CreditLimitExceeded: the recipient's credit limit refuses an invoice.
    """
    if not invoices:
        return []
    _check_deals([new.deal_id for new in invoices if new.deal_id])
    drafts = [_draft(new) for new in invoices]
    series = InvoiceSeries.objects.filter(is_default=True).first()
    if series is None:
        raise errors.NoDefaultSeries
    recipients = parties_by_id(party_ids=[new.recipient_id for new in invoices])
    issuer = own_party()
    numbers = take_numbers(
        actor=actor, series=series, days=[draft.new.issued_on for draft in drafts]
    )
    rows = [
        _row(
            draft,
            series=series,
            sequence=sequence,
            issuer=issuer,
            recipient=recipients[draft.new.recipient_id],
            actor=actor,
        )
        for draft, sequence in zip(drafts, numbers, strict=True)
    ]
    Invoice.objects.bulk_create(rows, batch_size=ROWS_PER_STATEMENT)
    history.record_bulk_created(rows, actor=actor)
    _write_lines(rows, drafts, actor=actor)
    post(postings=[_posting(row) for row in rows], actor=actor)
    count_receivables(
        movements=[_movement(row, draft.new) for row, draft in zip(rows, drafts, strict=True)],
        actor=actor,
    )
    audit.record_all(
        [
            events.InvoiceIssued(
                **row.event_values(),
                net_minor=row.net_minor,
                tax_minor=row.tax_minor,
                total_minor=row.total_minor,
                issued_on=row.issued_on,
                due_on=row.due_on,
            )
            for row in rows
        ],
        actor=actor,
    )
    return rows


def _check_deals(deal_ids: Sequence[UUID]) -> None:
    if len(set(deal_ids)) != len(deal_ids) or (
        deal_ids and Invoice.objects.filter(deal_id__in=deal_ids).exists()
    ):
        raise errors.DealAlreadyInvoiced


def _draft(new: NewInvoice) -> _Draft:
    if not new.lines:
        raise errors.InvoiceWithoutLines
    nets = tuple(line_net(unit_price=line.unit_price, quantity=line.quantity) for line in new.lines)
    tax = calculate_tax(
        lines=[
            TaxableLine(net=net, category=line.tax_rate.category, percent=line.tax_rate.percent)
            for line, net in zip(new.lines, nets, strict=True)
        ],
        currency=new.currency,
    )
    return _Draft(new=new, nets=nets, tax=tax)


def _row(
    draft: _Draft,
    *,
    series: InvoiceSeries,
    sequence: int,
    issuer: Party,
    recipient: Party,
    actor: Actor,
) -> Invoice:
    new = draft.new
    terms = (
        series.payment_terms_days
        if recipient.payment_terms_days is None
        else recipient.payment_terms_days
    )
    return Invoice(
        number=series.number(year=new.issued_on.year, sequence=sequence),
        series=series,
        year=new.issued_on.year,
        sequence=sequence,
        deal_id=new.deal_id,
        owner_id=new.owner_id,
        unit_id=new.unit_id,
        issuer=issuer,
        recipient=recipient,
        issuer_details=issuer.invoicing_details(),
        recipient_details=recipient.invoicing_details(),
        issued_on=new.issued_on,
        due_on=new.issued_on + timedelta(days=terms),
        currency=new.currency,
        net_minor=draft.tax.net.minor,
        tax_minor=draft.tax.tax.minor,
        total_minor=draft.tax.total.minor,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )


def _write_lines(rows: Sequence[Invoice], drafts: Sequence[_Draft], *, actor: Actor) -> None:
    stamp: Mapping[str, UUID | None] = {
        "created_by_id": actor.user_id,
        "updated_by_id": actor.user_id,
    }
    lines: list[InvoiceLine] = []
    totals: list[InvoiceTaxTotal] = []
    for row, draft in zip(rows, drafts, strict=True):
        for position, (line, net, tax) in enumerate(
            zip(draft.new.lines, draft.nets, draft.tax.line_taxes, strict=True), start=1
        ):
            lines.append(
                InvoiceLine(
                    invoice=row,
                    position=position,
                    product_id=line.product_id,
                    description=line.description,
                    quantity=line.quantity,
                    currency=row.currency,
                    unit_price_minor=line.unit_price.minor,
                    net_minor=net.minor,
                    tax_minor=tax.minor,
                    tax_rate=line.tax_rate,
                    tax_category=line.tax_rate.category,
                    tax_percent=line.tax_rate.percent,
                    **stamp,
                )
            )
        totals.extend(
            InvoiceTaxTotal(
                invoice=row,
                category=category.category,
                percent=category.percent,
                currency=row.currency,
                taxable_minor=category.taxable.minor,
                tax_minor=category.tax.minor,
                **stamp,
            )
            for category in draft.tax.categories
        )
    InvoiceLine.objects.bulk_create(lines, batch_size=ROWS_PER_STATEMENT)
    InvoiceTaxTotal.objects.bulk_create(totals, batch_size=ROWS_PER_STATEMENT)


def _posting(invoice: Invoice) -> Posting:
    return Posting(
        rule="invoice.issued",
        source_type="invoices.invoice",
        source_id=invoice.id,
        amounts={"net": invoice.net, "tax": invoice.tax},
        subledgers={"party": invoice.recipient_id},
        effective_on=invoice.issued_on,
        memo=invoice.number,
    )


def _movement(invoice: Invoice, new: NewInvoice) -> Movement:
    return Movement(
        client_id=invoice.recipient_id,
        amount=invoice.total,
        source_type="invoices.invoice",
        source_id=invoice.id,
        effective_on=invoice.issued_on,
        deal_id=invoice.deal_id,
        let_pass=Cause.BYPASSED if new.credit_bypass_reason else None,
        reason=new.credit_bypass_reason,
    )
