"""Using verified money for the invoice of its deal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import connection

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.events import Event
from shared_apps.kernel.operations import step
from tenant_apps.invoices import services as invoices
from tenant_apps.invoices.models import Invoice
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.limits.services import Movement, count_receivables
from tenant_apps.payments import errors, events
from tenant_apps.payments.allocation import Debt, Receipt, Share, spread
from tenant_apps.payments.models import Allocation, Payment

_ROWS_PER_STATEMENT = 1000


@step
def allocate_on_deals(
    *,
    deal_ids: Iterable[UUID],
    actor: Actor,
    received: Sequence[ledger.Posting] = (),
    happened: Sequence[Event] = (),
) -> list[Allocation]:
    """Use what verified payments have left for the invoices of their deals, the oldest first.

    A step of verification and of issuing, which have checked what the actor may do and have locked
    the deals: that lock is what keeps a payment and an invoice that appear at the same moment from
    missing each other. Only money of the invoice's own recipient and currency is used. Allocations
    are posted together with what was `received` and recorded behind what `happened`, in one call
    each.

    Locks payments and then invoices, each by id.

    :raises AllocationRefused: the database found that more was to be used than there is.
    """
    wanted = set(deal_ids)
    payments = _with_money_left(wanted)
    debts = invoices.lock_invoices(deal_ids=payments)
    shares: list[Share] = []
    owed_by: dict[UUID, Invoice] = {}
    for deal_id, invoice in debts.items():
        # What an over-payment has left over finds nothing owed, and stays.
        owed_by[invoice.id] = invoice
        shares += spread(
            receipts=[
                Receipt(payment_id=payment.id, left=payment.unapplied)
                for payment in payments[deal_id]
                if payment.client_id == invoice.recipient_id
                and payment.currency == invoice.currency
            ],
            debts=[
                Debt(
                    invoice_id=invoice.id,
                    outstanding=invoice.outstanding,
                    collected=invoice.allocated,
                )
            ],
        ).shares
    paid_by = {payment.id: payment for group in payments.values() for payment in group}
    rows = [_row(share, paid_by, owed_by, actor=actor) for share in shares]
    days = first_open_days(days={row.effective_on for row in rows})
    for row in rows:
        row.effective_on = days[row.effective_on]
    if rows:
        _use_up(rows)
        invoices.record_allocations(
            actor=actor,
            allocations=[
                invoices.InvoiceAllocation(invoice_id=row.invoice_id, amount=row.amount)
                for row in rows
            ],
        )
        Allocation.objects.bulk_create(rows, batch_size=_ROWS_PER_STATEMENT)
    postings = [*received, *(_posting(row, paid_by[row.payment_id]) for row in rows)]
    if postings:
        ledger.post(postings=postings, actor=actor)
    count_receivables(
        movements=[_movement(row, paid_by[row.payment_id]) for row in rows], actor=actor
    )
    news = [*happened, *(_allocated(row, paid_by[row.payment_id]) for row in rows)]
    audit.record_all(news, actor=actor)
    return rows


def _with_money_left(deal_ids: set[UUID]) -> dict[UUID, list[Payment]]:
    """Locked by id; told by deal, the oldest payment first."""
    locked = (
        Payment.objects.with_money_left().filter(deal_id__in=deal_ids).order_by("pk").for_change()
    )
    by_deal: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in sorted(locked, key=lambda row: (row.effective_on, row.id)):
        by_deal[payment.deal_id].append(payment)
    return by_deal


def _row(
    share: Share, payments: dict[UUID, Payment], owed_by: dict[UUID, Invoice], *, actor: Actor
) -> Allocation:
    payment, invoice = payments[share.payment_id], owed_by[share.invoice_id]
    assert payment.effective_on is not None
    return Allocation(
        payment_id=share.payment_id,
        invoice_id=share.invoice_id,
        amount_minor=share.amount.minor,
        collected_before_minor=share.collected_before.minor,
        currency=share.amount.currency,
        # It cannot stand in the books before both of its sides do.
        effective_on=max(payment.effective_on, invoice.issued_on),
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )


def _use_up(rows: Sequence[Allocation]) -> None:
    """Raise what is allocated of each payment, as far as the payment goes.

    The condition stands in the UPDATE itself: whatever was read before, the database decides.
    """
    totals: dict[UUID, int] = defaultdict(int)
    for row in rows:
        totals[row.payment_id] += row.amount_minor
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE payments_payment
            SET allocated_minor = allocated_minor + used.amount,
                version = version + 1,
                updated_at = %s
            FROM unnest(%s::uuid[], %s::bigint[]) AS used (payment_id, amount)
            WHERE payments_payment.id = used.payment_id
              AND payments_payment.state = 'verified'
              AND payments_payment.allocated_minor + used.amount <= payments_payment.amount_minor
            """,
            [clock.now(), list(totals), list(totals.values())],
        )
        if cursor.rowcount != len(totals):
            raise errors.AllocationRefused


def _posting(row: Allocation, payment: Payment) -> ledger.Posting:
    return ledger.Posting(
        rule="payment.allocated",
        source_type="payments.allocation",
        source_id=row.id,
        amounts={"amount": row.amount},
        subledgers={"party": payment.client_id},
        effective_on=row.effective_on,
        memo=payment.reference,
    )


def _movement(row: Allocation, payment: Payment) -> Movement:
    """What is allocated to an invoice is owed no more: the client's credit comes back."""
    return Movement(
        client_id=payment.client_id,
        amount=-row.amount,
        source_type="payments.allocation",
        source_id=row.id,
        effective_on=row.effective_on,
    )


def _allocated(row: Allocation, payment: Payment) -> events.PaymentAllocated:
    return events.PaymentAllocated(
        subject_id=row.id,
        payment_id=row.payment_id,
        invoice_id=row.invoice_id,
        deal_id=payment.deal_id,
        amount_minor=row.amount_minor,
        collected_before_minor=row.collected_before_minor,
        currency=row.currency,
        effective_on=row.effective_on,
    )
