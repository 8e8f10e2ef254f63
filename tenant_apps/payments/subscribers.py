"""What payments do at start-up: keep their history, register what verification brings about, and
hear of deals and invoices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from shared_apps.audit import history
from shared_apps.audit.subscriptions import subscribe
from shared_apps.kernel.actor import Actor
from tenant_apps.approvals import registry
from tenant_apps.approvals.models import Approval
from tenant_apps.deals.events import DealChanged, DealLost, DealWon
from tenant_apps.deals.models import Deal
from tenant_apps.invoices.events import InvoiceIssued
from tenant_apps.limits import above
from tenant_apps.payments import services
from tenant_apps.payments.models import Payment, PaymentInvoice
from tenant_apps.payments.services.asking import SUBJECT, VERIFY
from tenant_apps.payments.services.verifying import lock_above, settle, turn_down


def bring_about(approvals: Sequence[Approval], *, actor: Actor) -> None:
    settle(approvals=approvals, actor=actor)


def decline(subject_id: UUID, *, approval: Approval, actor: Actor) -> None:
    turn_down(approval=approval, actor=actor)


def queue_above(payment_ids: Collection[UUID]) -> None:
    """Whoever signs elsewhere than here queues at the deals and clients as well."""
    lock_above(payment_ids=payment_ids)


def use_money_that_waited(events: Sequence[InvoiceIssued], *, actor: Actor) -> None:
    """A payment verified before its invoice is used the moment that the invoice appears."""
    deal_ids = {event.deal_id for event in events if event.deal_id is not None}
    # Winning has locked them; an invoice issued in another way must queue here all the same.
    Deal.objects.locked_all(deal_ids)
    services.allocate_on_deals(deal_ids=deal_ids, actor=actor)


def keep_payers_of_changed(events: Sequence[DealChanged], *, actor: Actor) -> None:
    """Money would be left behind on a deal whose invoice goes to somebody else."""
    changed = [event.subject_id for event in events if "client_id" in event.fields]
    if changed:
        services.check_payers(deal_ids=changed)


def keep_payers_of_won(events: Sequence[DealWon], *, actor: Actor) -> None:
    """Winning may name another client as well."""
    services.check_payers(deal_ids=[event.subject_id for event in events])


def keep_money_from_lost(events: Sequence[DealLost], *, actor: Actor) -> None:
    """No invoice would ever take what was paid on a deal that is lost."""
    services.check_no_money_stands(deal_ids=[event.subject_id for event in events])


def money_that_waits(deal_ids: Collection[UUID]) -> dict[tuple[UUID, UUID, str], int]:
    """What an invoice of these deals is paid with as soon as it is there, in minor units."""
    found: dict[tuple[UUID, UUID, str], int] = defaultdict(int)
    for payment in Payment.objects.with_money_left().filter(deal_id__in=deal_ids):
        found[payment.deal_id, payment.client_id, payment.currency] += payment.unapplied.minor
    return found


history.track(Payment, mask=("external_reference", "note", "remarks"))
history.track(PaymentInvoice)
registry.register(
    SUBJECT,
    VERIFY,
    content=Payment.content,
    permission="payments.verify_payment",
    effect_all=bring_about,
    declined=decline,
    concerned=Payment.concerned,
    load=lambda rows: rows.select_related("deal"),
    lock_above=queue_above,
)
above.register_waiting_money(money_that_waits)
subscribe(DealChanged, keep_payers_of_changed)
subscribe(DealWon, keep_payers_of_won)
subscribe(DealLost, keep_money_from_lost)
subscribe(InvoiceIssued, use_money_that_waited)
