"""The verifier's word on a payment, and what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.operations import step
from tenant_apps.approvals.models import Approval, ApprovalState, Signature
from tenant_apps.deals.models import Deal
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.parties.services import lock_parties
from tenant_apps.payments import errors, events
from tenant_apps.payments.models import (
    Payment,
    PaymentInvoice,
    PaymentInvoiceState,
    PaymentState,
)
from tenant_apps.payments.selectors import payments_visible_to
from tenant_apps.payments.services.allocating import allocate_on_deals
from tenant_apps.payments.services.asking import (
    recall_request,
    reject_request,
    sign_requests,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """A yes to one payment. `expected_version` is the one that the verifier looked at."""

    payment_id: UUID
    remarks: str = ""
    expected_version: int | None = None


def verify_payment(
    *, actor: Actor, payment_id: UUID, remarks: str = "", expected_version: int | None = None
) -> Payment:
    """Verify one payment. Raises what `verify_payments` raises."""
    verification = Verification(
        payment_id=payment_id, remarks=remarks, expected_version=expected_version
    )
    return verify_payments(actor=actor, verifications=[verification])[0]


@transaction.atomic
def verify_payments(*, actor: Actor, verifications: Sequence[Verification]) -> list[Payment]:
    """Sign payments as received, in the given order.

    With the signature the money is booked, used for the invoice of its deal as far as one is
    owed (`Payment.unapplied` says what is left), and the owner's commission accrues.

    :raises NotFound: the actor does not see one of the payments.
    :raises Forbidden: the actor may not verify one of them.
    :raises OwnPayment: the actor recorded or edited one, or owns its deal.
    :raises PaymentAlreadyDecided: one was verified or rejected before.
    :raises PreconditionFailed: one is at another version than was looked at.
    :raises ContentChanged: one is not what it was when the signature was asked for.
    """
    by_id = {verification.payment_id: verification for verification in verifications}
    _judged(actor, by_id)
    sign_requests(
        remarks={payment_id: one.remarks for payment_id, one in by_id.items()}, actor=actor
    )
    verified = payments_visible_to(actor).in_bulk(by_id)
    return [verified[verification.payment_id] for verification in verifications]


@transaction.atomic
def reject_payment(
    *, actor: Actor, payment_id: UUID, remarks: str, expected_version: int | None = None
) -> Payment:
    """Say no to a payment, and why. Nothing is booked; the salesperson is told.

    :raises NotFound, Forbidden, OwnPayment, PaymentAlreadyDecided, PreconditionFailed: as for
        `verify_payments`.
    """
    _judged(
        actor,
        {
            payment_id: Verification(
                payment_id=payment_id, remarks=remarks, expected_version=expected_version
            )
        },
    )
    reject_request(payment_id=payment_id, remarks=remarks, actor=actor)
    return payments_visible_to(actor).obtain(payment_id)


@transaction.atomic
def withdraw_payment(
    *, actor: Actor, payment_id: UUID, expected_version: int | None = None
) -> Payment:
    """Take back a payment that one recorded, while nobody has decided on it.

    :raises NotFound: no such payment that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PaymentAlreadyDecided: it was verified or rejected before.
    :raises PreconditionFailed: it is at another version.
    :raises NotTheMaker: somebody else recorded or last edited it.
    """
    payments_visible_to(actor).obtain(payment_id)
    payment = _locked_with_deals([payment_id])[0]
    actor.require("payments.change_payment", payment)
    payment.check_pending()
    payment.check_version(expected_version)
    recall_request(payment_id=payment_id, actor=actor)
    return payments_visible_to(actor).obtain(payment_id)


@step
def settle(*, approvals: Sequence[Approval], actor: Actor) -> None:
    """What the last signatures bring about: the effect registered with `approvals`.

    Locks deals, clients, payments, invoices and balances, in this order and each by id.

    :raises PaymentAlreadyDecided: a payment was decided meanwhile.
    """
    payments = _locked_with_deals(approval.subject_id for approval in approvals)
    _decide(payments, _comments(approvals), state=PaymentState.VERIFIED, actor=actor)
    allocate_on_deals(
        deal_ids={payment.deal_id for payment in payments},
        actor=actor,
        received=[_received(payment) for payment in payments],
        happened=[_verified(payment) for payment in payments],
    )


@step
def turn_down(*, approval: Approval, actor: Actor) -> None:
    """What a refused or recalled request brings about, whoever refused it and where."""
    payments = _locked_with_deals([approval.subject_id])
    refused = approval.state == ApprovalState.REJECTED
    _decide(
        payments,
        {approval.subject_id: approval.remark},
        state=PaymentState.REJECTED if refused else PaymentState.WITHDRAWN,
        actor=actor,
    )
    audit.record_all(
        [_rejected(payment) if refused else _withdrawn(payment) for payment in payments],
        actor=actor,
    )


def _judged(actor: Actor, verifications: Mapping[UUID, Verification]) -> dict[UUID, Payment]:
    """The payments, locked behind their deals, if the actor may decide on all of them."""
    visible = payments_visible_to(actor)
    if visible.filter(pk__in=verifications).count() != len(verifications):
        raise errors.PaymentNotFound
    payments = {payment.id: payment for payment in _locked_with_deals(verifications)}
    permitted = actor.visible(Payment.objects.filter(pk__in=payments), "payments.verify_payment")
    for payment_id in payments.keys() - set(permitted.values_list("pk", flat=True)):
        actor.require("payments.verify_payment", payments[payment_id])
    for payment in payments.values():
        payment.check_pending()
        payment.check_version(verifications[payment.id].expected_version)
        payment.check_not_own(actor.user_id)
    return payments


@step
def lock_above(*, payment_ids: Collection[UUID]) -> dict[UUID, Deal]:
    """Lock what stands above payments, as winning a deal does: their deals, then the payers.

    Answers the deals by id.
    """
    above = Payment.objects.filter(pk__in=payment_ids).values_list("deal_id", "client_id")
    deals = Deal.objects.locked_all({deal_id for deal_id, _ in above})
    lock_parties(party_ids={client_id for _, client_id in above})
    return {deal.id: deal for deal in deals}


def _locked_with_deals(payment_ids: Iterable[UUID]) -> list[Payment]:
    ids = set(payment_ids)
    deals = lock_above(payment_ids=ids)
    payments = Payment.objects.locked_all(ids)
    for payment in payments:
        payment.deal = deals[payment.deal_id]
    return payments


def _decide(
    payments: Sequence[Payment],
    remarks: Mapping[UUID, str],
    *,
    state: PaymentState,
    actor: Actor,
) -> None:
    """Set state, day and remarks of payments that wait, and of their own documents."""
    for payment in payments:
        payment.check_pending()
    verified = state == PaymentState.VERIFIED
    days = first_open_days(days={payment.paid_on for payment in payments}) if verified else {}
    alike: dict[tuple[str, date | None], list[Payment]] = defaultdict(list)
    for payment in payments:
        payment.effective_on = days.get(payment.paid_on)
        # The day of payment, but for what was paid in a period that is closed by now.
        moved = payment.effective_on if payment.effective_on != payment.paid_on else None
        alike[remarks[payment.id], moved].append(payment)
    moment = clock.now()
    for (text, moved), group in alike.items():
        effective_on = moved or (F("paid_on") if verified else None)
        _set_decision(
            group, state=state, remarks=text, effective_on=effective_on, moment=moment, actor=actor
        )
    _close_documents(payments, state=state, moment=moment, actor=actor)
    history.record_bulk_changed(
        payments,
        [
            {
                "state": (PaymentState.PENDING.value, state.value),
                "effective_on": (None, payment.effective_on),
                "decided_at": (None, moment),
                "remarks": ("", payment.remarks),
            }
            for payment in payments
        ],
        actor=actor,
    )


def _set_decision(
    payments: Sequence[Payment],
    *,
    state: PaymentState,
    remarks: str,
    effective_on: date | F | None,
    moment: datetime,
    actor: Actor,
) -> None:
    ids = [payment.id for payment in payments]
    decided = (
        Payment.objects.pending()
        .filter(pk__in=ids)
        .update(
            state=state,
            effective_on=effective_on,
            decided_at=moment,
            decided_by_id=actor.user_id,
            remarks=remarks,
            version=F("version") + 1,
            updated_at=moment,
        )
    )
    if decided != len(ids):
        raise errors.PaymentAlreadyDecided
    for payment in payments:
        payment.state, payment.remarks = state, remarks


def _close_documents(
    payments: Sequence[Payment], *, state: PaymentState, moment: datetime, actor: Actor
) -> None:
    verified = state == PaymentState.VERIFIED
    PaymentInvoice.objects.filter(payment__in=payments).update(
        state=PaymentInvoiceState.APPROVED if verified else PaymentInvoiceState.VOID,
        decided_at=moment,
        decided_by_id=actor.user_id,
        updated_at=moment,
    )


def _comments(approvals: Sequence[Approval]) -> dict[UUID, str]:
    """The last signer's comment on each payment."""
    signed = Signature.objects.filter(approval__in=approvals).order_by("signed_at", "id")
    by_approval = dict(signed.values_list("approval_id", "comment"))
    return {approval.subject_id: by_approval[approval.id] for approval in approvals}


def _received(payment: Payment) -> ledger.Posting:
    assert payment.effective_on is not None
    return ledger.Posting(
        rule=f"payment.received.{payment.method}",
        source_type="payments.payment",
        source_id=payment.id,
        amounts={"amount": payment.amount},
        subledgers={"party": payment.client_id},
        effective_on=payment.effective_on,
        memo=payment.reference,
    )


def _verified(payment: Payment) -> events.PaymentVerified:
    assert payment.effective_on is not None
    return events.PaymentVerified(
        subject_id=payment.id,
        reference=payment.reference,
        deal_id=payment.deal_id,
        client_id=payment.client_id,
        owner_id=payment.deal.owner_id,
        unit_id=payment.deal.unit_id,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        effective_on=payment.effective_on,
    )


def _rejected(payment: Payment) -> events.PaymentRejected:
    return events.PaymentRejected(
        subject_id=payment.id,
        reference=payment.reference,
        deal_id=payment.deal_id,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
    )


def _withdrawn(payment: Payment) -> events.PaymentWithdrawn:
    return events.PaymentWithdrawn(
        subject_id=payment.id, reference=payment.reference, deal_id=payment.deal_id
    )
