"""Asking for credit against money paid in, and the word of another person on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.core.files.base import File
from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.documents import services as documents
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.approvals import services as approvals
from tenant_apps.approvals.models import Approval, ApprovalState, Signature
from tenant_apps.approvals.selectors import pending_approvals_of
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.wallets import errors, events, references
from tenant_apps.wallets.models import DepositMethod, DepositRequest, DepositState, Wallet
from tenant_apps.wallets.selectors import deposits_visible_to, wallets_visible_to
from tenants.context import current_organization

from .amounts import check_amount
from .wallets import watch_credit

SUBJECT = "wallets.depositrequest"
APPROVE = "approve"
EARLIEST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeposit:
    """What somebody paid in for a wallet, in the wallet's currency."""

    wallet_id: UUID
    method: str
    amount: Money
    paid_on: date
    external_reference: str = ""
    note: str = ""


@transaction.atomic
def request_deposit(*, actor: Actor, deposit: NewDeposit) -> DepositRequest:
    """Ask for credit; another person approves or denies it.

    :raises BadInput: no such wallet that the actor sees, or no such method.
    :raises Forbidden: the actor may not ask for this wallet.
    :raises SellerSuspended: the seller is suspended.
    :raises WalletCurrencyDiffers: the amount is not in the wallet's currency.
    :raises DepositInFuture: the day has not come.
    """
    wallet = wallets_visible_to(actor).select_related("seller").filter(pk=deposit.wallet_id).first()
    if wallet is None:
        raise BadInput.field("wallet", detail="There is no such wallet.", code="not_found")
    actor.require("wallets.add_depositrequest", wallet)
    wallet.seller.check_active()
    _check(deposit, wallet)
    row = DepositRequest.objects.create(
        reference=references.next_reference(references.DEPOSIT),
        wallet=wallet,
        method=deposit.method,
        amount_minor=deposit.amount.minor,
        currency=deposit.amount.currency,
        paid_on=deposit.paid_on,
        external_reference=deposit.external_reference,
        note=deposit.note,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    approvals.submit(subject=row, action=APPROVE, actor=actor)
    audit.record(
        events.DepositRequested(
            subject_id=row.id,
            reference=row.reference,
            wallet_id=wallet.id,
            seller_id=wallet.seller_id,
            method=row.method,
            amount_minor=row.amount_minor,
            currency=row.currency,
        ),
        actor=actor,
    )
    return row


@transaction.atomic
def attach_deposit_proof(
    *,
    actor: Actor,
    deposit_id: UUID,
    file: File[bytes],
    expected_version: int | None = None,
) -> DepositRequest:
    """Keep a receipt with a request that waits; what was signed before is void.

    :raises NotFound: no such request that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises DepositAlreadyDecided: it was decided.
    :raises PreconditionFailed: it is at another version.
    :raises FileRefused: the file is not an image or a PDF, or too large.
    """
    # The storage may be far away: the file goes there before anything is locked.
    actor.require("wallets.change_depositrequest", deposits_visible_to(actor).obtain(deposit_id))
    proof = documents.store_document(file=file, kind="deposit_proof", actor=actor)
    row = deposits_visible_to(actor).locked(deposit_id)
    actor.require("wallets.change_depositrequest", row)
    row.check_pending()
    row.check_version(expected_version)
    row.proof = proof
    row.updated_by_id = actor.user_id
    row.raise_version()
    row.save()
    approvals.submit(subject=row, action=APPROVE, actor=actor)
    audit.record(events.DepositAmended(subject_id=row.id, fields=("proof",)), actor=actor)
    return row


@transaction.atomic
def approve_deposit(
    *, actor: Actor, deposit_id: UUID, remark: str = "", expected_version: int | None = None
) -> DepositRequest:
    """Sign that the money is there; with the signature the credit rises, once.

    :raises NotFound: no such request that the actor sees.
    :raises Forbidden: the actor may not decide on it.
    :raises OwnDeposit: the actor asked for it or is the seller.
    :raises DepositAlreadyDecided: it was decided before.
    :raises PreconditionFailed: it is at another version.
    :raises ContentChanged: it is not what it was when the signature was asked for.
    """
    _judged(actor, deposit_id, expected_version)
    _sign_requests(deposit_id, remark=remark, actor=actor)
    return deposits_visible_to(actor).obtain(deposit_id)


@transaction.atomic
def deny_deposit(
    *, actor: Actor, deposit_id: UUID, reason: str, expected_version: int | None = None
) -> DepositRequest:
    """Say no, and why; nothing is booked, and the seller is told.

    :raises NotFound, Forbidden, OwnDeposit, DepositAlreadyDecided, PreconditionFailed: as for
        `approve_deposit`.
    """
    _judged(actor, deposit_id, expected_version)
    _reject_requests(deposit_id, reason=reason, actor=actor)
    return deposits_visible_to(actor).obtain(deposit_id)


@transaction.atomic
def withdraw_deposit(
    *, actor: Actor, deposit_id: UUID, expected_version: int | None = None
) -> DepositRequest:
    """Take back a request of one's own while nobody has decided on it.

    :raises NotFound: no such request that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises DepositAlreadyDecided: it was decided before.
    :raises NotTheMaker: somebody else asked for it or last edited it.
    """
    row = deposits_visible_to(actor).locked(deposit_id)
    actor.require("wallets.change_depositrequest", row)
    row.check_pending()
    row.check_version(expected_version)
    _recall_requests(deposit_id, actor=actor)
    return deposits_visible_to(actor).obtain(deposit_id)


@step
def settle_deposits(*, approvals_given: Sequence[Approval], actor: Actor) -> None:
    """What the last signatures bring about: the credit rises, in the same transaction.

    :raises DepositAlreadyDecided: a request was decided meanwhile.
    """
    comments = _comments(approvals_given)
    rows = DepositRequest.objects.locked_all(comments)
    wallets = {
        wallet.id: wallet for wallet in Wallet.objects.locked_all({row.wallet_id for row in rows})
    }
    days = first_open_days(days={row.paid_on for row in rows})
    for row in rows:
        row.effective_on = days[row.paid_on]
        _decide(row, DepositState.APPROVED, comments[row.id], actor=actor)
    journals = ledger.post(
        postings=[_posting(row, wallets[row.wallet_id]) for row in rows], actor=actor
    )
    audit.record_all(
        [
            _approved(row, wallets[row.wallet_id], balance=journal.legs[0].credited_balance)
            for row, journal in zip(rows, journals, strict=True)
        ],
        actor=actor,
    )
    watch_credit(wallets=wallets.values(), actor=actor)


@step
def turn_down_deposit(*, approval: Approval, actor: Actor) -> None:
    """What a refused or recalled request brings about, whoever refused it and where."""
    row = DepositRequest.objects.all().locked(approval.subject_id)
    denied = approval.state == ApprovalState.REJECTED
    state = DepositState.DENIED if denied else DepositState.WITHDRAWN
    _decide(row, state, approval.remark, actor=actor)
    if denied:
        audit.record(
            events.DepositDenied(
                subject_id=row.id,
                reference=row.reference,
                wallet_id=row.wallet_id,
                amount_minor=row.amount_minor,
                currency=row.currency,
            ),
            actor=actor,
        )
    else:
        audit.record(
            events.DepositWithdrawn(
                subject_id=row.id, reference=row.reference, wallet_id=row.wallet_id
            ),
            actor=actor,
        )


def _check(deposit: NewDeposit, wallet: Wallet) -> None:
    if deposit.method not in DepositMethod.values:
        raise BadInput.field("method", detail="There is no such method.")
    check_amount(amount=deposit.amount, currency=wallet.currency)
    today = clock.today(current_organization().time_zone)
    if deposit.paid_on < EARLIEST_DAY:
        raise BadInput.field("paid_on", detail=f"No deposit is older than {EARLIEST_DAY}.")
    if deposit.paid_on > today:
        raise errors.DepositInFuture(f"It is {today}; {deposit.paid_on} has not come yet.")


def _judged(actor: Actor, deposit_id: UUID, expected_version: int | None) -> None:
    row = deposits_visible_to(actor).select_related("wallet__seller").locked(deposit_id)
    actor.require("wallets.decide_depositrequest", row)
    row.check_pending()
    row.check_version(expected_version)
    row.check_not_own(actor.user_id)


def _waiting(deposit_id: UUID) -> UUID:
    found = pending_approvals_of(subject_type=SUBJECT, subject_ids=[deposit_id], action=APPROVE)
    if deposit_id not in found:
        raise errors.DepositAlreadyDecided
    return found[deposit_id].id


def _sign_requests(deposit_id: UUID, *, remark: str, actor: Actor) -> None:
    approvals.sign(approval_id=_waiting(deposit_id), actor=actor, comment=remark)


def _reject_requests(deposit_id: UUID, *, reason: str, actor: Actor) -> None:
    approvals.reject(approval_id=_waiting(deposit_id), actor=actor, remark=reason)


def _recall_requests(deposit_id: UUID, *, actor: Actor) -> None:
    approvals.recall(approval_id=_waiting(deposit_id), actor=actor)


def _decide(row: DepositRequest, state: DepositState, reason: str, *, actor: Actor) -> None:
    row.check_pending()
    row.state = state
    row.reason = reason
    row.decided_at = clock.now()
    row.decided_by_id = actor.user_id
    row.raise_version()
    row.save()


def _comments(given: Sequence[Approval]) -> dict[UUID, str]:
    """The last signer's comment on each request."""
    signed = Signature.objects.filter(approval__in=given).order_by("signed_at", "id")
    by_approval = dict(signed.values_list("approval_id", "comment"))
    return {approval.subject_id: by_approval[approval.id] for approval in given}


def _posting(row: DepositRequest, wallet: Wallet) -> ledger.Posting:
    assert row.effective_on is not None
    return ledger.Posting(
        rule=f"wallet.deposited.{row.method}",
        source_type=SUBJECT,
        source_id=row.id,
        amounts={"amount": row.amount},
        subledgers={"seller": wallet.seller_id},
        effective_on=row.effective_on,
        memo=row.reference,
    )


def _approved(row: DepositRequest, wallet: Wallet, *, balance: int) -> events.DepositApproved:
    assert row.effective_on is not None
    return events.DepositApproved(
        subject_id=row.id,
        reference=row.reference,
        wallet_id=row.wallet_id,
        seller_id=wallet.seller_id,
        method=row.method,
        amount_minor=row.amount_minor,
        balance_minor=balance,
        currency=row.currency,
        effective_on=row.effective_on,
    )
