"""What wallets do at start-up: keep their history, register what an approval brings about, whose
sub-accounts the books keep, and the consumers of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from shared_apps.audit import history
from shared_apps.kernel.actor import Actor
from tenant_apps.approvals import registry
from tenant_apps.approvals.models import Approval
from tenant_apps.ledger import subledgers
from tenant_apps.wallets import consumers
from tenant_apps.wallets.models import (
    ChargeRefund,
    DepositRequest,
    Operator,
    OperatorPrefix,
    Seller,
    Wallet,
    WalletPolicy,
)
from tenant_apps.wallets.selectors import known_sellers
from tenant_apps.wallets.services import refunds
from tenant_apps.wallets.services.deposits import (
    APPROVE,
    SUBJECT,
    settle_deposits,
    turn_down_deposit,
)

__all__ = ["consumers"]


def bring_about(approvals: Sequence[Approval], *, actor: Actor) -> None:
    settle_deposits(approvals_given=approvals, actor=actor)


def decline(subject_id: UUID, *, approval: Approval, actor: Actor) -> None:
    turn_down_deposit(approval=approval, actor=actor)


def give_back(approvals: Sequence[Approval], *, actor: Actor) -> None:
    refunds.settle_refunds(approvals_given=approvals, actor=actor)


def keep_taken(subject_id: UUID, *, approval: Approval, actor: Actor) -> None:
    refunds.turn_down_refund(approval=approval, actor=actor)


subledgers.register("seller", known_sellers)
history.track(Seller)
history.track(Wallet, exclude=("sold_on", "sold_minor", "low_since"))
history.track(WalletPolicy)
history.track(Operator)
history.track(OperatorPrefix)
history.track(DepositRequest, mask=("external_reference", "note", "reason"))
history.track(ChargeRefund, mask=("reason", "remark"))
registry.register(
    SUBJECT,
    APPROVE,
    content=DepositRequest.content,
    permission="wallets.decide_depositrequest",
    effect_all=bring_about,
    declined=decline,
    concerned=DepositRequest.concerned,
    load=lambda rows: rows.select_related("wallet__seller"),
)
registry.register(
    refunds.SUBJECT,
    refunds.APPROVE,
    content=ChargeRefund.content,
    permission="wallets.decide_chargerefund",
    effect_all=give_back,
    declined=keep_taken,
    concerned=ChargeRefund.concerned,
    load=lambda rows: rows.select_related("sale__wallet__seller"),
    lock_above=lambda ids: refunds.lock_refunded_sales(refund_ids=ids),
)
