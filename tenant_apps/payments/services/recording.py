"""Recording what a client paid, and mending the record while nobody has verified it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.documents import services as documents
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput, FieldError, Forbidden
from shared_apps.kernel.money import Money
from tenant_apps.deals.models import Deal, Stage
from tenant_apps.deals.selectors import deals_visible_to
from tenant_apps.payments import errors, events, references
from tenant_apps.payments.models import Method, Payment, PaymentInvoice
from tenant_apps.payments.selectors import payments_visible_to
from tenant_apps.payments.services.asking import ask_for_verification
from tenants.context import current_organization

ROWS_PER_STATEMENT = 500
EARLIEST_DAY = date(1900, 1, 1)
# In minor units. Sums of thousands of such payments still fit in 64 bits, so that nobody can stop
# the organization's books by one absurd amount.
LARGEST_AMOUNT = 10**15
AMENDABLE = frozenset({"method", "amount", "paid_on", "external_reference", "note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """What somebody knows of a payment. The amount is in the deal's currency.

    `recorded_by` names the person on whose behalf the system records (an import); nobody else may
    give it.
    """

    deal_id: UUID
    method: str
    amount: Money
    paid_on: date
    external_reference: str = ""
    note: str = ""
    recorded_by: UUID | None = None


def record_payment(*, actor: Actor, payment: NewPayment) -> Payment:
    """Record one payment. Raises what `record_payments` raises."""
    return record_payments(actor=actor, payments=[payment])[0]


@transaction.atomic
def record_payments(*, actor: Actor, payments: Sequence[NewPayment]) -> list[Payment]:
    """Record payments in the given order, each with its payment invoice, and ask for verification.

    :raises BadInput: a deal is none that the actor sees.
    :raises Forbidden: the actor may not record payments on one of the deals, or records in the
        name of another person.
    :raises PayerMissing: a deal has no client yet.
    :raises DealLost: a deal was lost.
    :raises CurrencyDiffers: an amount is not in its deal's currency.
    :raises PaidInFuture: a day of payment has not come.
    """
    deals = _deals_to_pay(actor, payments)
    today = clock.today(current_organization().time_zone)
    for payment in payments:
        _check(payment, deals[payment.deal_id], today=today)
    numbers = references.next_numbers(number=len(payments))
    rows = [
        _row(payment, deals[payment.deal_id], number=number, actor=actor)
        for payment, number in zip(payments, numbers, strict=True)
    ]
    Payment.objects.bulk_create(rows, batch_size=ROWS_PER_STATEMENT)
    history.record_bulk_created(rows, actor=actor)
    invoices = [
        PaymentInvoice(
            payment=row,
            reference=references.payment_invoice_reference(number),
            created_by_id=row.created_by_id,
            updated_by_id=row.created_by_id,
        )
        for row, number in zip(rows, numbers, strict=True)
    ]
    PaymentInvoice.objects.bulk_create(invoices, batch_size=ROWS_PER_STATEMENT)
    ask_for_verification(payments=rows, actor=actor)
    audit.record_all([_recorded(row) for row in rows], actor=actor)
    return rows


@transaction.atomic
def amend_payment(
    *,
    actor: Actor,
    payment_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Payment:
    """Change a payment that waits (`AMENDABLE`). The signature asked for is void; a new one is
    asked for, and whoever edited is its maker.

    :raises NotFound: no such payment that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PaymentAlreadyDecided: it was verified or rejected.
    :raises PreconditionFailed: it is at another version.
    :raises CurrencyDiffers: the amount is not in the payment's currency.
    :raises PaidInFuture: the day of payment has not come.
    """
    unknown = set(changes) - AMENDABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    payment = _locked_for_change(actor, payment_id, expected_version)
    changed = tuple(sorted(n for n in changes if getattr(payment, n) != changes[n]))
    if not changed:
        return payment
    if "amount" in changed:
        amount: Money = changes["amount"]
        _check_amount(amount, currency=payment.currency)
        payment.amount_minor = amount.minor
    if "paid_on" in changed:
        _check_day(changes["paid_on"], today=clock.today(current_organization().time_zone))
    for name in changed:
        if name != "amount":
            setattr(payment, name, changes[name])
    _save_amended(payment, fields=changed, actor=actor)
    return payment


@transaction.atomic
def attach_proof(
    *,
    actor: Actor,
    payment_id: UUID,
    file: File[bytes],
    expected_version: int | None = None,
) -> Payment:
    """Keep a receipt with a payment that waits, in place of the one before. An edit like others.

    :raises NotFound: no such payment that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PaymentAlreadyDecided: it was verified or rejected.
    :raises PreconditionFailed: it is at another version.
    :raises FileRefused: the file is not an image or a PDF, or too large.
    """
    # The storage may be far away: the file goes there before anything is locked.
    actor.require("payments.change_payment", payments_visible_to(actor).obtain(payment_id))
    proof = documents.store_document(file=file, kind="payment_proof", actor=actor)
    payment = _locked_for_change(actor, payment_id, expected_version)
    payment.proof = proof
    _save_amended(payment, fields=("proof",), actor=actor)
    return payment


def _deals_to_pay(actor: Actor, payments: Sequence[NewPayment]) -> dict[UUID, Deal]:
    """The deals of a batch, locked, each seen by the actor and open to payments by them: two
    queries. While they are locked, client and stage stay what they are here."""
    wanted = {payment.deal_id for payment in payments}
    locked = deals_visible_to(actor).filter(pk__in=wanted).order_by("pk").for_change()
    deals = {deal.id: deal for deal in locked}
    if len(deals) != len(wanted):
        missing = [
            FieldError.at("deal", detail="There is no such deal.", code="not_found")
            for deal_id in wanted - deals.keys()
        ]
        raise BadInput(errors=missing[:1])
    permitted = actor.visible(Deal.objects.filter(pk__in=wanted), "payments.add_payment")
    for deal_id in wanted - set(permitted.values_list("pk", flat=True)):
        actor.require("payments.add_payment", deals[deal_id])
    if not actor.is_system and any(payment.recorded_by for payment in payments):
        raise Forbidden("Nobody records a payment in the name of another person.")
    return deals


def _check(payment: NewPayment, deal: Deal, *, today: date) -> None:
    if payment.method not in Method.values:
        raise BadInput.field("method", detail="There is no such method.")
    if deal.client_id is None:
        raise errors.PayerMissing(f"{deal.reference} names no client yet.")
    if deal.stage == Stage.LOST:
        raise errors.DealLost(f"{deal.reference} was lost.")
    _check_amount(payment.amount, currency=deal.currency)
    _check_day(payment.paid_on, today=today)


def _check_amount(amount: Money, *, currency: str) -> None:
    if not amount.is_positive:
        raise BadInput.field("amount", detail="A payment is more than nothing.")
    if amount.minor > LARGEST_AMOUNT:
        raise errors.PaymentTooLarge
    if amount.currency != currency:
        raise errors.CurrencyDiffers(
            f"The deal is in {currency}, the payment in {amount.currency}."
        )


def _check_day(paid_on: date, *, today: date) -> None:
    if paid_on < EARLIEST_DAY:
        raise BadInput.field("paid_on", detail=f"No payment is older than {EARLIEST_DAY}.")
    if paid_on > today:
        raise errors.PaidInFuture(f"It is {today}; {paid_on} has not come yet.")


def _row(payment: NewPayment, deal: Deal, *, number: int, actor: Actor) -> Payment:
    recorder = payment.recorded_by or actor.user_id
    assert deal.client_id is not None
    return Payment(
        reference=references.payment_reference(number),
        deal=deal,
        client_id=deal.client_id,
        method=payment.method,
        amount_minor=payment.amount.minor,
        currency=payment.amount.currency,
        paid_on=payment.paid_on,
        external_reference=payment.external_reference,
        note=payment.note,
        created_by_id=recorder,
        updated_by_id=recorder,
    )


def _recorded(payment: Payment) -> events.PaymentRecorded:
    return events.PaymentRecorded(
        subject_id=payment.id,
        reference=payment.reference,
        deal_id=payment.deal_id,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        paid_on=payment.paid_on,
        recorded_by=payment.created_by_id,
    )


def _save_amended(payment: Payment, *, fields: tuple[str, ...], actor: Actor) -> None:
    payment.updated_by_id = actor.user_id
    payment.raise_version()
    payment.save()
    ask_for_verification(payments=[payment], actor=actor)
    audit.record(
        events.PaymentAmended(subject_id=payment.id, deal_id=payment.deal_id, fields=fields),
        actor=actor,
    )


def _locked_for_change(actor: Actor, payment_id: UUID, expected_version: int | None) -> Payment:
    payment: Payment = payments_visible_to(actor).locked(payment_id)
    actor.require("payments.change_payment", payment)
    payment.check_pending()
    payment.check_version(expected_version)
    return payment
