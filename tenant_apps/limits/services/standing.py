"""Which limit stands, and how a decision comes into force."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid8_near
from shared_apps.kernel.operations import step
from tenant_apps.ledger import services as ledger
from tenant_apps.limits import events
from tenant_apps.limits.models import CreditLimit, LimitState
from tenants.context import current_organization, organization_id

# The subject of the ledger's credit lines, and the account whose balance they count.
SUBJECT = "parties.client"
RECEIVABLES = "1200"

Key = tuple[UUID, str]


@step
def today() -> date:
    """Step: the day it is where the organization works."""
    return clock.today(current_organization().time_zone)


@step
def standing_limits(*, client_ids: Collection[UUID], actor: Actor) -> dict[Key, CreditLimit | None]:
    """The limits in force, by client and currency, in one statement; who is not counted is absent.

    None stands where the first decision has not come into force. For callers that hold the
    clients' receivables locked: a decision whose day has come takes effect here, be the clock's
    task late or not.
    """
    rows = CreditLimit.objects.standing().of_clients(client_ids)
    found: dict[Key, CreditLimit | None] = {}
    due: list[CreditLimit] = []
    day: date | None = None
    for row in rows:
        key = (row.client_id, row.currency)
        if row.state == LimitState.IN_FORCE:
            found[key] = row
            continue
        found.setdefault(key, None)
        day = day or today()
        if row.effective_on <= day:
            due.append(row)
    for row in due:
        found[row.client_id, row.currency] = put_in_force(limit=row, actor=actor)
    return found


@step
def put_in_force(*, limit: CreditLimit, actor: Actor) -> CreditLimit:
    """Let a decision take the place of the one in force. The client's receivable is locked."""
    moment = clock.now()
    former = (
        CreditLimit.objects.in_force()
        .filter(client_id=limit.client_id, currency=limit.currency)
        .first()
    )
    if former is not None:
        former.state, former.replaced_at = LimitState.REPLACED, moment
        former.updated_by_id = actor.user_id
        former.save(update_fields=["state", "replaced_at", "updated_at", "updated_by_id"])
    limit.state, limit.in_force_at = LimitState.IN_FORCE, moment
    limit.save()
    ledger.set_credit_limit(
        id=uuid8_near(limit.id, organization_id(), "credit limit"),
        subject_type=SUBJECT,
        subject_id=limit.client_id,
        currency=limit.currency,
        limit=limit.amount,
        effective_on=limit.effective_on,
        source_type="limits.creditlimit",
        source_id=limit.id,
        reason=limit.reason,
        actor=actor,
    )
    audit.record(events.CreditLimitTookEffect(**event_values(limit=limit)), actor=actor)
    return limit


@step
def event_values(*, limit: CreditLimit) -> dict[str, Any]:
    """What every event of a limit carries."""
    return {
        "subject_id": limit.id,
        "client_id": limit.client_id,
        "currency": limit.currency,
        "amount_minor": limit.amount_minor,
        "mode": limit.mode,
        "effective_on": limit.effective_on,
    }
