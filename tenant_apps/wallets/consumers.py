"""What outbox messages about credit bring about outside the database: mails."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared_apps.access.selectors import active_holders_of
from shared_apps.accounts.models import User
from shared_apps.delivery.services import send_mail
from shared_apps.kernel.money import Money
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.wallets.events import (
    ChargeRefundDenied,
    ChargeRefunded,
    DepositApproved,
    DepositDenied,
    WalletRanLow,
)
from tenant_apps.wallets.models import ChargeRefund, DepositRequest, Wallet


@consumer("wallets.mail_deposit_approved", DepositApproved)
def mail_deposit_approved(message: OutboxMessage) -> None:
    """Tell the seller that the credit is there, and what it is now."""
    balance = Money(message.payload["balance_minor"], message.payload["currency"])
    _mail_about_deposit(message, template="deposit_approved", balance=str(balance))


@consumer("wallets.mail_deposit_denied", DepositDenied)
def mail_deposit_denied(message: OutboxMessage) -> None:
    """Tell the seller that there will be no credit, and why."""
    _mail_about_deposit(message, template="deposit_denied")


@consumer("wallets.mail_low_credit", WalletRanLow)
def mail_low_credit(message: OutboxMessage) -> None:
    """Tell the seller, or who keeps the wallets where it has no user, that credit runs low."""
    wallet = Wallet.objects.select_related("seller__user", "seller__party").get(
        pk=message.subject_id
    )
    currency = message.payload["currency"]
    user = wallet.seller.user
    told = [user] if user is not None else list(active_holders_of(role="wallet_admin"))
    for person in told:
        _mail(
            person,
            template="low_credit",
            seller=wallet.seller.party.name,
            reference=wallet.seller.reference,
            available=str(Money(message.payload["available_minor"], currency)),
            threshold=str(Money(message.payload["threshold_minor"], currency)),
        )


@consumer("wallets.mail_charge_refunded", ChargeRefunded)
def mail_charge_refunded(message: OutboxMessage) -> None:
    """Tell the seller, or whoever sold for it, that a sale's credit is back, and what it is now."""
    refund = _refund(message)
    balance = Money(message.payload["balance_minor"], message.payload["currency"])
    told = refund.sale.wallet.seller.user or _person(refund.sale.created_by_id)
    _mail_about_refund(told, refund, template="charge_refunded", balance=str(balance))


@consumer("wallets.mail_charge_refund_denied", ChargeRefundDenied)
def mail_charge_refund_denied(message: OutboxMessage) -> None:
    """Tell whoever asked that nothing goes back, and why."""
    refund = _refund(message)
    _mail_about_refund(_person(refund.created_by_id), refund, template="charge_refund_denied")


def _refund(message: OutboxMessage) -> ChargeRefund:
    refunds = ChargeRefund.objects.select_related("sale__wallet__seller__user")
    return refunds.get(pk=message.subject_id)


def _person(user_id: UUID | None) -> User | None:
    return User.objects.filter(pk=user_id).first()


def _mail_about_refund(
    person: User | None, refund: ChargeRefund, *, template: str, **values: Any
) -> None:
    if person is None:
        return
    _mail(
        person,
        template=template,
        refund=refund.reference,
        sale=refund.sale.reference,
        amount=str(refund.amount),
        remark=refund.remark,
        **values,
    )


def _mail_about_deposit(message: OutboxMessage, *, template: str, **values: Any) -> None:
    deposit = DepositRequest.objects.select_related("wallet__seller__user").get(
        pk=message.subject_id
    )
    # A seller without a user hears through whoever asked for the credit on its behalf.
    user = deposit.wallet.seller.user or User.objects.filter(pk=deposit.created_by_id).first()
    if user is None:
        return
    _mail(
        user,
        template=template,
        deposit=deposit.reference,
        amount=str(deposit.amount),
        method=deposit.get_method_display(),
        paid_on=deposit.paid_on,
        reason=deposit.reason,
        **values,
    )


def _mail(user: User, *, template: str, **values: Any) -> None:
    if user.is_active:
        send_mail(to=user.email, template=template, context={"name": user.full_name, **values})
