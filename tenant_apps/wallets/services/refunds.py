"""Giving the credit of a sale back: whole, once, by a reversal of what was captured.

Either the provider says that it took its charge back, or a wallet admin asks for it and another
person approves. Locks: the sale, its refund, its approval, the wallet, the books.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.operations import step
from tenant_apps.approvals import services as approvals
from tenant_apps.approvals.models import Approval, ApprovalState, Signature
from tenant_apps.approvals.selectors import pending_approvals_of
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.wallets import errors, events, references
from tenant_apps.wallets.models import (
    ChargeRefund,
    ChargeSale,
    RefundOrigin,
    RefundState,
    SaleState,
)
from tenant_apps.wallets.selectors import refunds_visible_to, sales_visible_to
from tenants.context import current_organization

from .sales import SUBJECT as SALE
from .sales import give_limit_back
from .wallets import watch_credit

SUBJECT = "wallets.chargerefund"
APPROVE = "approve"
BY_PROVIDER = "The provider reversed the charge."


@transaction.atomic
def request_charge_refund(*, actor: Actor, sale_id: UUID, reason: str) -> ChargeRefund:
    """Ask that a sale's credit be given back; another person approves or denies it.

    :raises BadInput: no such sale that the actor sees.
    :raises Forbidden: the actor may not ask for it.
    :raises SaleNotSold: the sale is not sold: nothing was taken that could be given back.
    :raises AlreadyRefunded: it was given back.
    :raises RefundAlreadyRequested: a request waits.
    """
    if not sales_visible_to(actor).filter(pk=sale_id).exists():
        raise BadInput.field("sale", detail="There is no such sale.", code="not_found")
    sale = sales_visible_to(actor).locked(sale_id)
    actor.require("wallets.add_chargerefund", sale)
    _check_refundable(sale)
    waiting = sale.refunds.filter(state=RefundState.PENDING).first()
    if waiting is not None:
        raise errors.RefundAlreadyRequested(f"{waiting.reference} waits for a decision.")
    refund = _written(sale, reason=reason, actor=actor)
    approvals.submit(subject=refund, action=APPROVE, actor=actor)
    audit.record(
        events.ChargeRefundRequested(
            subject_id=refund.id,
            reference=refund.reference,
            sale_id=sale.id,
            wallet_id=sale.wallet_id,
            amount_minor=refund.amount_minor,
            currency=refund.currency,
        ),
        actor=actor,
    )
    return refund


@transaction.atomic
def approve_charge_refund(
    *, actor: Actor, refund_id: UUID, remark: str = "", expected_version: int | None = None
) -> ChargeRefund:
    """Sign that the credit is to go back; with the signature it does, once.

    :raises NotFound: no such request that the actor sees.
    :raises Forbidden: the actor may not decide on it.
    :raises OwnRefund: the actor asked for it, sold, or is the seller.
    :raises RefundAlreadyDecided: it was decided before.
    :raises PreconditionFailed: it is at another version.
    """
    _judged(actor, refund_id, expected_version)
    _sign_requests(refund_id, remark=remark, actor=actor)
    return refunds_visible_to(actor).obtain(refund_id)


@transaction.atomic
def deny_charge_refund(
    *, actor: Actor, refund_id: UUID, reason: str, expected_version: int | None = None
) -> ChargeRefund:
    """Say no, and why; nothing is booked, and whoever asked is told.

    :raises NotFound, Forbidden, OwnRefund, RefundAlreadyDecided, PreconditionFailed: as for
        `approve_charge_refund`.
    """
    _judged(actor, refund_id, expected_version)
    _reject_requests(refund_id, reason=reason, actor=actor)
    return refunds_visible_to(actor).obtain(refund_id)


@transaction.atomic
def withdraw_charge_refund(
    *, actor: Actor, refund_id: UUID, expected_version: int | None = None
) -> ChargeRefund:
    """Take back a request of one's own while nobody has decided on it.

    :raises NotFound: no such request that the actor sees.
    :raises Forbidden: the actor asks for no refunds.
    :raises RefundAlreadyDecided: it was decided before.
    :raises NotTheMaker: somebody else asked for it.
    """
    refund = _locked(actor, refund_id)
    actor.require("wallets.add_chargerefund", refund)
    refund.check_pending()
    refund.check_version(expected_version)
    _recall_requests(refund_id, actor=actor)
    return refunds_visible_to(actor).obtain(refund_id)


@step
def lock_refunded_sales(*, refund_ids: Collection[UUID]) -> None:
    """The sales of refunds stand before the refunds in the order of locks."""
    sale_ids = ChargeRefund.objects.filter(pk__in=refund_ids).values_list("sale_id", flat=True)
    ChargeSale.objects.locked_all(set(sale_ids))


@step
def settle_refunds(*, approvals_given: Sequence[Approval], actor: Actor) -> None:
    """What the last signatures bring about: the credit is back, in the same transaction.

    :raises RefundAlreadyDecided: a request was decided meanwhile.
    :raises AlreadyRefunded: the sale was given back meanwhile.
    """
    comments = _comments(approvals_given)
    lock_refunded_sales(refund_ids=comments)
    refunds = ChargeRefund.objects.locked_all(comments)
    for refund in refunds:
        refund.check_pending()
    _give_back(refunds, remarks=comments, actor=actor)


@step
def turn_down_refund(*, approval: Approval, actor: Actor) -> None:
    """What a refused or recalled request brings about, whoever refused it and where."""
    refund = ChargeRefund.objects.all().locked(approval.subject_id)
    refund.check_pending()
    denied = approval.state == ApprovalState.REJECTED
    state = RefundState.DENIED if denied else RefundState.WITHDRAWN
    _decide(refund, state, approval.remark, actor=actor)
    event = events.ChargeRefundDenied if denied else events.ChargeRefundWithdrawn
    audit.record(
        event(subject_id=refund.id, reference=refund.reference, sale_id=refund.sale_id),
        actor=actor,
    )


@step
def refund_reversed_sale(*, sale: ChargeSale, reason: str, actor: Actor) -> ChargeRefund | None:
    """Give a sale back whose charge the provider has reversed; None where that was done before.

    The caller has locked the sale, which is sold. A request that waits is superseded.
    """
    if sale.refunded_at is not None:
        return None
    pending = ChargeRefund.objects.filter(sale=sale, state=RefundState.PENDING)
    waiting = list(pending.order_by("pk").for_change())
    for request in waiting:
        _decide(request, RefundState.SUPERSEDED, BY_PROVIDER, actor=actor)
    if waiting:
        approvals.void_all(subjects=waiting, action=APPROVE, actor=actor)
    refund = _written(sale, reason=reason or BY_PROVIDER, actor=actor, origin=RefundOrigin.PROVIDER)
    _give_back([refund], remarks={}, actor=actor)
    return refund


def _locked(actor: Actor, refund_id: UUID) -> ChargeRefund:
    """The refund that the actor sees, behind its sale."""
    seen = refunds_visible_to(actor).obtain(refund_id)
    lock_refunded_sales(refund_ids=[seen.pk])
    found: ChargeRefund = (
        refunds_visible_to(actor).select_related("sale__wallet__seller").locked(refund_id)
    )
    return found


def _judged(actor: Actor, refund_id: UUID, expected_version: int | None) -> None:
    refund = _locked(actor, refund_id)
    actor.require("wallets.decide_chargerefund", refund)
    refund.check_pending()
    refund.check_version(expected_version)
    refund.check_not_own(actor.user_id)


def _waiting(refund_id: UUID) -> UUID:
    found = pending_approvals_of(subject_type=SUBJECT, subject_ids=[refund_id], action=APPROVE)
    if refund_id not in found:
        raise errors.RefundAlreadyDecided
    return found[refund_id].id


def _sign_requests(refund_id: UUID, *, remark: str, actor: Actor) -> None:
    approvals.sign(approval_id=_waiting(refund_id), actor=actor, comment=remark)


def _reject_requests(refund_id: UUID, *, reason: str, actor: Actor) -> None:
    approvals.reject(approval_id=_waiting(refund_id), actor=actor, remark=reason)


def _recall_requests(refund_id: UUID, *, actor: Actor) -> None:
    approvals.recall(approval_id=_waiting(refund_id), actor=actor)


def _check_refundable(sale: ChargeSale) -> None:
    if sale.refunded_at is not None:
        raise errors.AlreadyRefunded(f"The credit of {sale.reference} was given back.")
    if sale.state != SaleState.SOLD:
        raise errors.SaleNotSold(f"{sale.reference} is {sale.state}.", extra={"state": sale.state})


def _written(
    sale: ChargeSale, *, reason: str, actor: Actor, origin: RefundOrigin = RefundOrigin.REQUEST
) -> ChargeRefund:
    state: dict[str, Any] = {}
    if origin == RefundOrigin.PROVIDER:
        # It never waits: nobody is asked whether what the provider did was right.
        state = {"state": RefundState.REFUNDED, "effective_on": _today(), "decided_at": clock.now()}
    return ChargeRefund.objects.create(
        reference=references.next_reference(references.REFUND),
        sale=sale,
        amount_minor=sale.amount_minor,
        currency=sale.currency,
        origin=origin,
        reason=reason,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
        **state,
    )


def _today() -> Any:
    today = clock.today(current_organization().time_zone)
    return first_open_days(days={today})[today]


def _give_back(refunds: Sequence[ChargeRefund], *, remarks: dict[UUID, str], actor: Actor) -> None:
    """Reverse what the sales took; their sales are locked."""
    sales = {
        sale.pk: sale
        for sale in ChargeSale.objects.filter(pk__in=[refund.sale_id for refund in refunds])
    }
    day = _today()
    for sale in sales.values():
        _check_refundable(sale)
    # A limit of the day on which it was sold is free again; of another day nobody asks any more.
    wallets = {}
    for sale in sorted(sales.values(), key=lambda sale: (sale.wallet_id, sale.pk)):
        wallets[sale.wallet_id] = give_limit_back(sale=sale)
    journals = ledger.reverse(
        reversals=[
            ledger.Reversal(
                source_type=SALE,
                source_id=refund.sale_id,
                rule="wallet.charged",
                effective_on=day,
                memo=refund.reference,
            )
            for refund in refunds
        ],
        actor=actor,
    )
    ChargeSale.objects.filter(pk__in=sales).update(refunded_at=clock.now(), updated_at=clock.now())
    for refund in refunds:
        if refund.state == RefundState.PENDING:
            refund.effective_on = day
            _decide(refund, RefundState.REFUNDED, remarks[refund.pk], actor=actor)
    audit.record_all(
        [
            events.ChargeRefunded(
                subject_id=refund.id,
                reference=refund.reference,
                sale_id=refund.sale_id,
                wallet_id=sales[refund.sale_id].wallet_id,
                origin=refund.origin,
                amount_minor=refund.amount_minor,
                balance_minor=journal.legs[0].credited_balance,
                currency=refund.currency,
            )
            for refund, journal in zip(refunds, journals, strict=True)
        ],
        actor=actor,
    )
    watch_credit(wallets=wallets.values(), actor=actor)


def _decide(refund: ChargeRefund, state: RefundState, remark: str, *, actor: Actor) -> None:
    refund.check_pending()
    refund.state = state
    refund.remark = remark
    refund.decided_at = clock.now()
    refund.decided_by_id = actor.user_id
    refund.raise_version()
    refund.save()


def _comments(given: Iterable[Approval]) -> dict[UUID, str]:
    """The last signer's comment on each request."""
    rows = list(given)
    signed = Signature.objects.filter(approval__in=rows).order_by("signed_at", "id")
    by_approval = dict(signed.values_list("approval_id", "comment"))
    return {approval.subject_id: by_approval[approval.id] for approval in rows}
