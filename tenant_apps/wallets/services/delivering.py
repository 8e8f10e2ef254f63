"""From held credit to the one true end of a sale: call, capture or release, ask until it is known.

The provider is called outside of every transaction. Before the call the sale is marked as sent, so
that a crash leaves it for the janitor, who asks and never guesses; every call about a sale carries
the same reference, for which a provider charges once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import DomainError
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import retrying
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.selectors import first_open_days
from tenant_apps.wallets import events, providers
from tenant_apps.wallets.errors import NoChargeProvider
from tenant_apps.wallets.models import UNSETTLED, ChargeSale, SaleState
from tenant_apps.wallets.providers import ChargeAnswer, ChargeOrder, NeverReached, Outcome
from tenants.context import current_organization

from .moving import move
from .refunds import refund_reversed_sale
from .sales import SUBJECT, give_limit_back, hold_id_of
from .wallets import watch_credit

logger = structlog.get_logger(__name__)

# Longer than any call may take: a sale that was sent this long ago has nobody who waits for it.
CALL_ENDS_WITHIN = timedelta(seconds=60)
# A sale that nobody sent for this long is not sent any more: its customer has gone.
SEND_WITHIN = timedelta(minutes=15)
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=15)
_DOUBLINGS = 8


@step
def deliver_sale(*, sale_id: UUID, actor: Actor) -> ChargeSale | None:
    """Call the provider for a sale whose credit is held, and settle it by the answer.

    Answers the sale as it stands then; None for a sale that somebody else has sent, with which
    nothing is done, and for one that is left to the janitor. Call it outside of every transaction.
    """
    try:
        provider = providers.configured()
    except NoChargeProvider:
        # It was there when the sale was placed. The janitor sends it, or lets it fail in time.
        return None
    now = clock.now()
    sale = move(
        sale_id=sale_id,
        among=[SaleState.HELD],
        to=SaleState.SENT,
        sent_at=now,
        next_ask_at=now + CALL_ENDS_WITHIN,
    )
    return None if sale is None else _call(provider, sale, actor=actor)


@step
def settle_due(*, actor: Actor, limit: int = 100) -> int:
    """The janitor: ask the provider about sales that wait, each when its time has come.

    Answers how many it took up. Two janitors take different ones. What goes wrong with one sale
    leaves it for the next time and keeps no other waiting. For an organization that is suspended
    the provider is only asked: nothing is sent.
    """
    due = list(ChargeSale.objects.due(at=clock.now()).values_list("pk", flat=True)[:limit])
    taken = 0
    for sale_id in due:
        try:
            taken += _take_up(sale_id, actor=actor)
        except (OperationalError, InterfaceError):
            # No sale's fault: the database is not there.
            raise
        except Exception:
            logger.exception("charge_sale_left", sale_id=str(sale_id))
    return taken


@step
def settle_sale(*, sale_id: UUID, answer: ChargeAnswer, actor: Actor) -> ChargeSale:
    """Write down what the provider said of a sale; the first final word holds.

    Delivered captures what is held, refused releases it. Reversed releases it too, or gives back
    what was captured. Anything else leaves the sale unknown.
    """
    return retrying(lambda: _settle(sale_id, answer, actor=actor))


def _take_up(sale_id: UUID, *, actor: Actor) -> bool:
    now = clock.now()
    sale = ChargeSale.objects.with_parties().get(pk=sale_id)
    taken = (
        ChargeSale.objects.due(at=now)
        .filter(pk=sale_id, asked_times=sale.asked_times)
        .update(
            asked_times=F("asked_times") + 1,
            next_ask_at=now + CALL_ENDS_WITHIN + _pause(sale.asked_times),
            updated_at=now,
        )
    )
    if not taken:
        return False
    if sale.state == SaleState.HELD:
        _send_or_give_up(sale, now=now, actor=actor)
        return True
    try:
        provider = providers.configured()
        answer = provider.status(sale.charge_reference)
    except Exception as problem:
        # Whatever went wrong, it says nothing about the sale: the next question may.
        logger.warning(
            "charge_status_failed", sale_id=str(sale_id), error=type(problem).__qualname__
        )
        return True
    if answer.outcome == Outcome.UNHEARD:
        # It never arrived. The same reference again: should it arrive after all, it is one charge.
        if current_organization().is_served:
            _call(provider, sale, actor=actor)
    else:
        _settle_or_leave(sale_id, answer, actor=actor)
    return True


def _send_or_give_up(sale: ChargeSale, *, now: datetime, actor: Actor) -> None:
    if now - sale.created_at <= SEND_WITHIN:
        if current_organization().is_served:
            deliver_sale(sale_id=sale.pk, actor=actor)
        return
    gave_up = ChargeAnswer(outcome=Outcome.REFUSED, reason="it was not sent in time")
    _settle_or_leave(sale.pk, gave_up, actor=actor, only_if=SaleState.HELD)


def _call(
    provider: providers.ChargeProvider, sale: ChargeSale, *, actor: Actor
) -> ChargeSale | None:
    order = ChargeOrder(
        reference=sale.charge_reference,
        phone=sale.phone,
        operator=sale.operator_code,
        amount=sale.amount,
    )
    try:
        answer = provider.charge(order)
    except NeverReached:
        answer = _not_reached(sale)
    except Exception as problem:
        # A time-out, or an adapter that failed in the middle: it may have arrived.
        logger.warning("charge_unknown", sale_id=str(sale.pk), error=type(problem).__qualname__)
        answer = ChargeAnswer(outcome=Outcome.PENDING)
    return _settle_or_leave(sale.pk, answer, actor=actor)


def _not_reached(sale: ChargeSale) -> ChargeAnswer:
    only_ours = ChargeSale.objects.filter(pk=sale.pk, state=SaleState.SENT, asked_times=0)
    if not only_ours.exists():
        # Another call, before this one or beside it, may have arrived.
        return ChargeAnswer(outcome=Outcome.PENDING)
    return ChargeAnswer(outcome=Outcome.REFUSED, reason="the provider cannot be reached")


def _settle_or_leave(
    sale_id: UUID, answer: ChargeAnswer, *, actor: Actor, only_if: SaleState | None = None
) -> ChargeSale | None:
    """Settle a sale, or leave it to the janitor where the books refuse: they may be stopped.

    What the provider said is not lost by that. It says the same when it is asked again.
    """
    try:
        return retrying(lambda: _settle(sale_id, answer, actor=actor, only_if=only_if))
    except DomainError as refusal:
        logger.warning("charge_not_settled", sale_id=str(sale_id), code=refusal.code)
        return None


@transaction.atomic
def _settle(
    sale_id: UUID, answer: ChargeAnswer, *, actor: Actor, only_if: SaleState | None = None
) -> ChargeSale:
    among = UNSETTLED if only_if is None else (only_if,)
    if answer.outcome == Outcome.DELIVERED:
        sale = _closed(sale_id, SaleState.SOLD, answer, among=among)
        if sale is not None:
            _sold(sale, actor=actor)
            return sale
    elif answer.outcome in (Outcome.REFUSED, Outcome.REVERSED):
        # What was reversed before we knew of it was never ours to pay.
        sale = _closed(sale_id, SaleState.FAILED, answer, among=among)
        if sale is not None:
            _failed(sale, actor=actor)
            return sale
    sale = ChargeSale.objects.locked(sale_id)
    if only_if is not None:
        return sale
    if sale.state == SaleState.SOLD and answer.outcome == Outcome.REVERSED:
        refund_reversed_sale(sale=sale, reason=answer.reason, actor=actor)
    elif sale.is_settled:
        _notice_contradiction(sale, answer)
    else:
        _left_unknown(sale, actor=actor)
    return sale


def _closed(
    sale_id: UUID, state: SaleState, answer: ChargeAnswer, *, among: Iterable[SaleState]
) -> ChargeSale | None:
    """The sale at its end, and locked by that; None where it has one or is not `among`."""
    now = clock.now()
    return move(
        sale_id=sale_id,
        among=among,
        to=state,
        provider_reference=answer.provider_reference[:64],
        reason=answer.reason[:200],
        settled_at=now,
        next_ask_at=None,
    )


def _sold(sale: ChargeSale, *, actor: Actor) -> None:
    journal = ledger.capture(hold_id=hold_id_of(sale=sale), posting=_posting(sale), actor=actor)
    audit.record(
        events.ChargeSold(
            subject_id=sale.id,
            reference=sale.reference,
            wallet_id=sale.wallet_id,
            amount_minor=sale.amount_minor,
            balance_minor=journal.legs[0].debit_balance,
            currency=sale.currency,
        ),
        actor=actor,
    )


def _failed(sale: ChargeSale, *, actor: Actor) -> None:
    wallet = give_limit_back(sale=sale)
    ledger.release(hold_id=hold_id_of(sale=sale), actor=actor)
    audit.record(
        events.ChargeSaleFailed(
            subject_id=sale.id,
            reference=sale.reference,
            wallet_id=sale.wallet_id,
            amount_minor=sale.amount_minor,
            currency=sale.currency,
        ),
        actor=actor,
    )
    watch_credit(wallets=[wallet], actor=actor)


def _left_unknown(sale: ChargeSale, *, actor: Actor) -> None:
    first_time = sale.state != SaleState.UNKNOWN
    sale.state = SaleState.UNKNOWN
    sale.next_ask_at = clock.now() + _pause(sale.asked_times)
    sale.save(update_fields=["state", "next_ask_at", "updated_at"])
    if first_time:
        audit.record(
            events.ChargeSaleUnknown(
                subject_id=sale.id, reference=sale.reference, wallet_id=sale.wallet_id
            ),
            actor=actor,
        )


def _posting(sale: ChargeSale) -> ledger.Posting:
    today = clock.today(current_organization().time_zone)
    return ledger.Posting(
        rule="wallet.charged",
        source_type=SUBJECT,
        source_id=sale.id,
        amounts={"amount": sale.amount},
        subledgers={"seller": sale.seller_id},
        effective_on=first_open_days(days={today})[today],
        memo=sale.reference,
    )


def _notice_contradiction(sale: ChargeSale, answer: ChargeAnswer) -> None:
    """Nothing is undone by itself; the reconciliation with the provider's file shows it as well."""
    said = {Outcome.DELIVERED: SaleState.SOLD, Outcome.REFUSED: SaleState.FAILED}
    meant = said.get(answer.outcome)
    if meant is not None and meant != sale.state:
        logger.error(
            "charge_contradiction", sale_id=str(sale.pk), state=sale.state, said=answer.outcome
        )


def _pause(asked_times: int) -> timedelta:
    """How long to wait before the next question: twice as long each time, up to a bound."""
    return min(FIRST_PAUSE * 2 ** min(asked_times, _DOUBLINGS), LONGEST_PAUSE)
