"""Deciding on a client's credit."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.models import CreditLineEntryKind
from tenant_apps.ledger.selectors import credit_lines_of
from tenant_apps.limits import errors, events
from tenant_apps.limits.models import CreditLimit, LimitState, Mode
from tenant_apps.limits.services.standing import (
    RECEIVABLES,
    SUBJECT,
    event_values,
    put_in_force,
    today,
)
from tenant_apps.parties.selectors import clients_visible_to
from tenants.context import organization_id

# In minor units: what is owed and what may be owed still add up within 64 bits.
LARGEST_LIMIT = 10**15


@transaction.atomic
def set_limit(
    *,
    actor: Actor,
    client_id: UUID,
    currency: str,
    amount: Money | None,
    mode: str,
    reason: str,
    effective_on: date | None = None,
) -> CreditLimit:
    """Decide how much a client may owe in a currency, from a day on (today when None).

    Without an amount the limit is taken away. With the client's first decision, what it owes
    begins to be counted. A decision for a day to come takes the place of an earlier one that has
    not come into force either.

    :raises NotFound: no such client that the actor sees.
    :raises Forbidden: the actor may not decide on credit.
    :raises BadInput: the amount is in another currency, below zero or absurdly large.
    :raises LimitDayPassed: the day is over.
    """
    client = clients_visible_to(actor).obtain(client_id)
    actor.require("limits.add_creditlimit")
    _check_amount(amount, currency=currency)
    day = today()
    if effective_on is not None and effective_on < day:
        raise errors.LimitDayPassed.field(
            "effective_on", detail=f"{effective_on} has passed; today is {day}."
        )
    _begin_to_count(client.id, currency, day=day, actor=actor)
    limit = CreditLimit(
        client=client,
        currency=currency,
        amount_minor=None if amount is None else amount.minor,
        mode=Mode(mode),
        effective_on=effective_on or day,
        reason=reason,
        state=LimitState.SCHEDULED,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    audit.record(events.CreditLimitSet(**event_values(limit=limit)), actor=actor)
    if limit.effective_on > day:
        _replace_scheduled(limit, actor=actor)
        limit.save(force_insert=True)
    else:
        put_in_force(limit=limit, actor=actor)
    return limit


@step
def apply_due_limits(*, actor: Actor, limit: int = 500) -> int:
    """Put decisions into force whose day has come, each in its own transaction; how many."""
    due = list(
        CreditLimit.objects.due(on=today())
        .order_by("effective_on", "id")
        .values_list("id", "client_id", "currency")[:limit]
    )
    for limit_id, client_id, currency in due:
        with transaction.atomic():
            ledger.lock_account(
                account_code=RECEIVABLES, currency=currency, subledger_id=client_id, actor=actor
            )
            # Under the lock: an invoice may have needed it a moment ago.
            row = CreditLimit.objects.due(on=today()).filter(pk=limit_id).first()
            if row is not None:
                put_in_force(limit=row, actor=actor)
    return len(due)


def _check_amount(amount: Money | None, *, currency: str) -> None:
    if amount is None:
        return
    if amount.currency != currency:
        raise BadInput.field("amount", detail=f"The limit is kept in {currency}.")
    if not 0 <= amount.minor <= LARGEST_LIMIT:
        raise BadInput.field("amount", detail="A limit is zero or more, and not absurdly large.")


def _begin_to_count(client_id: UUID, currency: str, *, day: date, actor: Actor) -> None:
    """Lock what the client owes and, the first time, put it on a credit line.

    Whoever issues, allocates or books has this lock before looking whether the client is
    counted, so each of them is either in this balance or sees the line.
    """
    owed = ledger.lock_account(
        account_code=RECEIVABLES, currency=currency, subledger_id=client_id, actor=actor
    )
    lines = credit_lines_of(subject_type=SUBJECT, subject_ids=[client_id])
    if (client_id, currency) in lines:
        return
    line_id = ledger.open_credit_line(
        subject_type=SUBJECT, subject_id=client_id, currency=currency, actor=actor
    )
    if not owed.is_positive:
        return
    opening = ledger.CreditChange(
        id=uuid8_near(client_id, organization_id(), "outstanding when first counted", line_id),
        subject_type=SUBJECT,
        subject_id=client_id,
        kind=CreditLineEntryKind.USE,
        used=owed,
        held=Money.zero(currency),
        effective_on=day,
        source_type=SUBJECT,
        source_id=client_id,
        reason="What was outstanding when it was first counted.",
    )
    ledger.change_credit(changes=[opening], actor=actor)


def _replace_scheduled(limit: CreditLimit, *, actor: Actor) -> None:
    former = (
        CreditLimit.objects.filter(
            client_id=limit.client_id, currency=limit.currency, state=LimitState.SCHEDULED
        )
        .for_change()
        .first()
    )
    if former is None:
        return
    former.state, former.replaced_at = LimitState.REPLACED, clock.now()
    former.updated_by_id = actor.user_id
    former.save(update_fields=["state", "replaced_at", "updated_at", "updated_by_id"])
