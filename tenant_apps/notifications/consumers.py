"""What outbox messages bring about outside the database: mails, and news to open sockets.

A consumer may be called again after a crash; a socket then hears the same news twice, which it
bears, and a mail's row is written together with the receipt, so it is written once.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

from shared_apps.access.events import (
    MembershipGranted,
    MembershipRevoked,
    ObjectGranted,
    ObjectGrantRevoked,
)
from shared_apps.accounts.events import (
    PasswordChanged,
    PasswordReset,
    SecondFactorReset,
    SessionEnded,
    SessionReuseDetected,
    UserDeactivated,
)
from shared_apps.accounts.models import User
from shared_apps.delivery.services import send_mail
from shared_apps.outbox.consumers import consumer
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.notifications.groups import payments_group, user_group
from tenant_apps.payments.events import (
    PaymentAllocated,
    PaymentAmended,
    PaymentRecorded,
    PaymentRejected,
    PaymentVerified,
    PaymentWithdrawn,
)
from tenant_apps.payments.models import Payment
from tenants.context import organization_id


@consumer("notifications.mail_payment_verified", PaymentVerified)
def mail_payment_verified(message: OutboxMessage) -> None:
    """Tell the salesperson that the money is there, and what was not used of it."""
    _mail_about_payment(message, template="payment_verified")


@consumer("notifications.mail_payment_rejected", PaymentRejected)
def mail_payment_rejected(message: OutboxMessage) -> None:
    """Tell the salesperson that the verifier said no, and why."""
    _mail_about_payment(message, template="payment_rejected")


@consumer(
    "notifications.push_payment_changed",
    PaymentRecorded,
    PaymentAmended,
    PaymentVerified,
    PaymentRejected,
    PaymentWithdrawn,
)
def push_payment_changed(message: OutboxMessage) -> None:
    """Tell the sockets of the organization which payment changed; each asks what it may say."""
    _send(
        payments_group(organization_id=organization_id()),
        {"type": "payment.changed", "payment": str(message.subject_id)},
    )


@consumer("notifications.push_payment_allocated", PaymentAllocated)
def push_payment_allocated(message: OutboxMessage) -> None:
    """A payment that waited for its invoice has been used."""
    _send(
        payments_group(organization_id=organization_id()),
        {"type": "payment.changed", "payment": message.payload["payment_id"]},
    )


@consumer("notifications.close_session", SessionEnded, SessionReuseDetected)
def close_session(message: OutboxMessage) -> None:
    """Sockets of a session that has ended close at once and not at the next heartbeat."""
    _ask_sockets_of(message.payload["user_id"])


@consumer(
    "notifications.renew_rights",
    MembershipGranted,
    MembershipRevoked,
    ObjectGranted,
    ObjectGrantRevoked,
)
def renew_rights(message: OutboxMessage) -> None:
    """Open sockets learn at once that their person may hear of more, or of less."""
    _ask_sockets_of(message.payload["user_id"])


@consumer(
    "notifications.close_sessions_of_user",
    UserDeactivated,
    PasswordChanged,
    PasswordReset,
    SecondFactorReset,
)
def close_sessions_of_user(message: OutboxMessage) -> None:
    """The same for acts that end several sessions of a person."""
    _ask_sockets_of(str(message.subject_id))


def _mail_about_payment(message: OutboxMessage, *, template: str) -> None:
    payment = Payment.objects.select_related("deal__owner", "client").get(pk=message.subject_id)
    owner: User = payment.deal.owner
    if not owner.is_active:
        return
    send_mail(
        to=owner.email,
        template=template,
        context={
            "name": owner.full_name,
            "payment": payment.reference,
            "deal": payment.deal.reference,
            "client": payment.client.name,
            "amount": str(payment.amount),
            "method": payment.get_method_display(),
            "paid_on": payment.paid_on,
            "unapplied": str(payment.unapplied) if payment.unapplied.is_positive else "",
            "remarks": payment.remarks,
        },
    )


def _ask_sockets_of(user_id: str) -> None:
    group = user_group(organization_id=organization_id(), user_id=UUID(user_id))
    _send(group, {"type": "session.changed"})


def _send(group: str, message: dict[str, Any]) -> None:
    layer = get_channel_layer()
    assert layer is not None
    async_to_sync(layer.group_send)(group, message)
