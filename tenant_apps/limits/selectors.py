"""What other apps and the API read of clients' credit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from shared_apps.kernel.actor import Actor
from shared_apps.kernel.models import RecordQuerySet
from shared_apps.kernel.money import Money
from tenant_apps.ledger.selectors import credit_lines_of
from tenant_apps.limits.models import (
    CreditLimit,
    CreditLimitQuerySet,
    LimitOverride,
    LimitOverrideQuerySet,
    LimitState,
    Overrun,
)
from tenant_apps.limits.services.standing import SUBJECT
from tenant_apps.parties.selectors import clients_visible_to


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditPosition:
    """How a client stands in one currency.

    `used` is what is owed on issued invoices, `held` what is reserved; `available` is below zero
    where more is owed than the limit allows. Without a limit in force, `limit`, `available` and
    `mode` are empty. `next_limit_on` is the day from which another decision counts.
    """

    client_id: UUID
    currency: str
    limit: Money | None
    mode: str
    used: Money
    held: Money
    available: Money | None
    effective_on: date | None
    next_limit_on: date | None


def limits_visible_to(actor: Actor, *, client_id: UUID) -> CreditLimitQuerySet:
    """Every decision on a client's credit, whatever became of it.

    :raises NotFound: no such client that the actor sees.
    """
    client = clients_visible_to(actor).obtain(client_id)
    limits = CreditLimit.objects.filter(client=client)
    return actor.visible(limits, "limits.view_creditlimit")


def credit_positions_visible_to(actor: Actor, *, client_id: UUID) -> list[CreditPosition]:
    """How a client stands, in each currency in which its credit was ever decided on.

    :raises NotFound: no such client that the actor sees.
    """
    standing = {
        (row.currency, row.state): row
        for row in limits_visible_to(actor, client_id=client_id).standing()
    }
    lines = credit_lines_of(subject_type=SUBJECT, subject_ids=[client_id]) if standing else {}
    positions = []
    for (_, currency), line in sorted(lines.items(), key=lambda one: one[0][1]):
        limit = standing.get((currency, LimitState.IN_FORCE))
        coming = standing.get((currency, LimitState.SCHEDULED))
        amount = None if limit is None else limit.amount
        positions.append(
            CreditPosition(
                client_id=client_id,
                currency=currency,
                limit=amount,
                mode=limit.mode if limit is not None and amount is not None else "",
                used=line.used,
                held=line.held,
                available=None if amount is None else amount - line.used - line.held,
                effective_on=None if limit is None else limit.effective_on,
                next_limit_on=None if coming is None else coming.effective_on,
            )
        )
    return positions


def overrides_visible_to(actor: Actor) -> LimitOverrideQuerySet:
    """What was asked for above limits."""
    return actor.visible(LimitOverride.objects.all(), "limits.view_limitoverride")


def overruns_visible_to(actor: Actor) -> RecordQuerySet[Overrun]:
    """Who was let above a limit."""
    return actor.visible(Overrun.objects.all(), "limits.view_overrun")


def overruns_of_deals(*, deal_ids: Collection[UUID]) -> list[Overrun]:
    """What was let pass with the invoices of these deals, for whoever sees the deals."""
    return list(Overrun.objects.filter(deal_id__in=deal_ids).order_by("id"))
