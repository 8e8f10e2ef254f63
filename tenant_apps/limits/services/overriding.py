"""Letting one invoice above a limit: asked for by one person, approved by another, used once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.bulk import update_columns
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.approvals import services as approvals
from tenant_apps.approvals.models import Approval, ApprovalState
from tenant_apps.limits import above, errors, events
from tenant_apps.limits.models import CreditLimit, LimitOverride, OverrideState
from tenant_apps.limits.services.standing import Key, today
from tenant_apps.parties.selectors import clients_visible_to, home_of

SUBJECT = "limits.limitoverride"
APPROVE = "approve"


@transaction.atomic
def request_override(
    *,
    actor: Actor,
    client_id: UUID,
    amount: Money,
    valid_until: date,
    reason: str,
    deal_id: UUID | None = None,
) -> LimitOverride:
    """Ask that an invoice may take a client this far above its limit, once.

    :raises BadInput: there is no such client or deal that the actor sees.
    :raises Forbidden: the actor may not ask.
    :raises NoHome: the actor has no place in the organization.
    :raises NoLimitToOverride: the client has no limit in this currency.
    :raises OverrideExpired: the last day of validity is over.
    """
    client = clients_visible_to(actor).filter(pk=client_id).first()
    if client is None:
        raise BadInput.field("client", detail="There is no such client.", code="not_found")
    if deal_id is not None and not above.deal_is_seen(actor, deal_id=deal_id):
        raise BadInput.field("deal", detail="There is no such deal.", code="not_found")
    owner_id, unit_id = home_of(actor)
    override = LimitOverride(
        client=client,
        currency=amount.currency,
        amount_minor=amount.minor,
        deal_id=deal_id,
        valid_until=valid_until,
        reason=reason,
        owner_id=owner_id,
        unit_id=unit_id,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )
    actor.require("limits.add_limitoverride", override)
    override.check_approvable(on=today())
    limits = CreditLimit.objects.standing().of_clients([client_id])
    if not limits.filter(currency=amount.currency, amount_minor__isnull=False).exists():
        raise errors.NoLimitToOverride
    override.save(force_insert=True)
    approvals.submit(subject=override, action=APPROVE, actor=actor)
    audit.record(
        events.LimitOverrideRequested(**_values(override), valid_until=valid_until), actor=actor
    )
    return override


@step
def approve(*, approvals: Sequence[Approval], actor: Actor) -> None:
    """What the last signatures bring about: the effect registered with `approvals`.

    :raises OverrideExpired: the last day of validity is over.
    """
    rows = LimitOverride.objects.locked_all(approval.subject_id for approval in approvals)
    day = today()
    for row in rows:
        row.check_approvable(on=day)
    _decide(rows, OverrideState.APPROVED, actor=actor)
    audit.record_all([events.LimitOverrideApproved(**_values(row)) for row in rows], actor=actor)


@step
def turn_down(*, approval: Approval, actor: Actor) -> None:
    """What a refused or recalled request brings about."""
    refused = approval.state == ApprovalState.REJECTED
    state = OverrideState.DECLINED if refused else OverrideState.RECALLED
    row = LimitOverride.objects.all().locked(approval.subject_id)
    _decide([row], state, actor=actor)
    audit.record(events.LimitOverrideDeclined(**_values(row), state=state.value), actor=actor)


class UsableOverrides:
    """Approved overrides that nobody has used, locked; each is taken once."""

    def __init__(self, rows: Iterable[LimitOverride]) -> None:
        self._rows: dict[Key, list[LimitOverride]] = defaultdict(list)
        for row in rows:
            self._rows[row.client_id, row.currency].append(row)

    def take(self, *, key: Key, excess: int, deal_id: UUID | None) -> LimitOverride | None:
        """One that allows so much above: the deal's own first, then the soonest to end."""
        fitting = [
            row
            for row in self._rows.get(key, ())
            if row.amount_minor >= excess and row.deal_id in (None, deal_id)
        ]
        if not fitting:
            return None
        chosen = min(fitting, key=lambda row: (row.deal_id is None, row.valid_until, row.id))
        self._rows[key].remove(chosen)
        return chosen


@step
def usable_overrides(*, client_ids: Collection[UUID]) -> UsableOverrides:
    """What may be used today, locked until the transaction ends, in one statement."""
    rows = LimitOverride.objects.usable(on=today()).filter(client_id__in=client_ids)
    return UsableOverrides(rows.order_by("pk").for_change())


@step
def use_overrides(*, sources: Mapping[UUID, UUID], actor: Actor) -> None:
    """Mark overrides as used by the sources (invoices). They are locked and approved."""
    moment = clock.now()
    rows = list(LimitOverride.objects.filter(pk__in=sources).order_by("pk"))
    changes: list[dict[str, tuple[Any, Any]]] = []
    for row in rows:
        row.state, row.used_at = OverrideState.USED, moment
        row.used_by_source_id = sources[row.pk]
        row.raise_version()
        row.updated_at, row.updated_by_id = moment, actor.user_id
        changes.append({"state": (OverrideState.APPROVED.value, OverrideState.USED.value)})
    fields = ["state", "used_at", "used_by_source_id", "version", "updated_at", "updated_by_id"]
    update_columns(rows, fields=fields)
    history.record_bulk_changed(rows, changes, actor=actor)
    audit.record_all(
        [events.LimitOverrideUsed(**_values(row), source_id=sources[row.pk]) for row in rows],
        actor=actor,
    )


def _decide(rows: Sequence[LimitOverride], state: OverrideState, *, actor: Actor) -> None:
    moment = clock.now()
    for row in rows:
        row.state, row.decided_at, row.decided_by_id = state, moment, actor.user_id
        row.updated_by_id = actor.user_id
        row.raise_version()
        row.save(
            update_fields=[
                "state",
                "decided_at",
                "decided_by_id",
                "version",
                "updated_at",
                "updated_by_id",
            ]
        )


def _values(row: LimitOverride) -> dict[str, Any]:
    return {
        "subject_id": row.id,
        "client_id": row.client_id,
        "deal_id": row.deal_id,
        "currency": row.currency,
        "amount_minor": row.amount_minor,
    }
