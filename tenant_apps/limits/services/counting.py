"""Counting what clients owe, and refusing what their limits do not allow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid8_near
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import services as ledger
from tenant_apps.ledger.models import CreditLineEntryKind
from tenant_apps.ledger.selectors import balances_of, credit_lines_of
from tenant_apps.limits import above, errors, events
from tenant_apps.limits.models import Cause, CreditLimit, Overrun
from tenant_apps.limits.services.overriding import UsableOverrides, usable_overrides, use_overrides
from tenant_apps.limits.services.standing import RECEIVABLES, SUBJECT, Key, standing_limits
from tenants.context import organization_id

# One journal may stand on the lines of several clients.
Place = tuple[UUID, UUID, str]

_ROWS_PER_STATEMENT = 500
_COVERED = "Paid before it was invoiced."
_ONLY_WARNS = "The limit only warns."


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What a client owes more (an invoice) or, below zero, less (money allocated to one).

    `effective_on` is when it counts in the books. With `let_pass` and a reason no limit refuses
    it; it is recorded all the same.
    """

    client_id: UUID
    amount: Money
    source_type: str
    source_id: UUID
    effective_on: date
    deal_id: UUID | None = None
    let_pass: Cause | None = None
    reason: str = ""

    @property
    def key(self) -> Key:
        return self.client_id, self.amount.currency

    @property
    def place(self) -> Place:
        return self.source_id, *self.key


@step
def count_receivables(*, movements: Sequence[Movement], actor: Actor) -> list[Overrun]:
    """Count what was posted to clients' receivables on their credit lines, in the given order.

    Called behind the posting, in its transaction: the posting holds the receivables locked, so
    nobody begins to count a client, changes its limit or uses its credit at the same moment.
    Clients whose credit nobody ever decided on cost one statement for the whole batch. Answers
    what was let pass above a limit; all or nothing.

    :raises CreditLimitExceeded: a limit refuses an invoice, and no override allows it.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("Credit is counted within the transaction that posts.")
    clients = {movement.client_id for movement in movements}
    limits = standing_limits(client_ids=clients, actor=actor) if clients else {}
    counted = [movement for movement in movements if movement.key in limits]
    if not counted:
        return []
    uses = _uses(counted)
    passages = _judged(uses, limits)
    ledger.change_credit(
        changes=[_change(use, passages.get(use.movement.place)) for use in uses], actor=actor
    )
    return _record(list(passages.values()), actor=actor)


@dataclass(slots=True)
class _Use:
    """A movement on its line: what it adds, and how the line stands before it (minor units)."""

    movement: Movement
    added: int
    used_before: int
    held: int


@dataclass(slots=True)
class _Passage:
    """That a use goes above its limit, and why it may; `cause` is None where it is covered."""

    use: _Use
    cause: Cause | None
    reason: str
    limit: int = 0
    override_id: UUID | None = None


def _uses(movements: Sequence[Movement]) -> list[_Use]:
    """What the movements add to their lines, which stand at what is owed and never below zero."""
    clients = {movement.client_id for movement in movements}
    lines = credit_lines_of(subject_type=SUBJECT, subject_ids=clients)
    owed: dict[Key, int] = {}
    for currency in {movement.amount.currency for movement in movements}:
        balances = balances_of(account_code=RECEIVABLES, currency=currency, subledger_ids=clients)
        owed.update({(client, currency): money.minor for client, money in balances.items()})
    for movement in movements:
        owed[movement.key] -= movement.amount.minor
    used = {key: line.used_minor for key, line in lines.items()}
    uses = []
    for movement in movements:
        key = movement.key
        before = owed[key]
        owed[key] = before + movement.amount.minor
        added = max(0, owed[key]) - max(0, before)
        if added:
            uses.append(_Use(movement, added, used[key], lines[key].held_minor))
            used[key] += added
    return uses


def _judged(uses: Sequence[_Use], limits: dict[Key, CreditLimit | None]) -> dict[Place, _Passage]:
    """Those of the uses that go above a limit, by their source, each with why it may."""
    too_much = [use for use in uses if _excess(use, limits) > 0]
    if not too_much:
        return {}
    paid = _paid_before(uses, too_much)
    overrides = UsableOverrides([])
    refusing = [use for use in too_much if _refuses(use, limits)]
    if refusing:
        overrides = usable_overrides(client_ids={use.movement.client_id for use in refusing})
    passages = {}
    for use in too_much:
        movement, limit = use.movement, limits[use.movement.key]
        assert limit is not None
        assert limit.amount_minor is not None
        passage = _Passage(use, movement.let_pass, movement.reason, limit.amount_minor)
        excess = _excess(use, limits) - paid.get(movement.place, 0)
        if movement.let_pass is None and excess <= 0:
            passage.reason = _COVERED
        elif movement.let_pass is None and not limit.refuses:
            passage.cause, passage.reason = Cause.WARNED, _ONLY_WARNS
        elif movement.let_pass is None:
            override = overrides.take(key=movement.key, excess=excess, deal_id=movement.deal_id)
            if override is None:
                raise _refusal(use, limit, excess)
            passage.cause, passage.reason = Cause.OVERRIDDEN, override.reason
            passage.override_id = override.id
        passages[movement.place] = passage
    return passages


def _excess(use: _Use, limits: dict[Key, CreditLimit | None]) -> int:
    """By how much a use would stand above its limit, in minor units; zero for what gives back."""
    limit = limits[use.movement.key]
    if limit is None or limit.amount_minor is None or use.added <= 0:
        return 0
    return max(0, use.used_before + use.added + use.held - limit.amount_minor)


def _refuses(use: _Use, limits: dict[Key, CreditLimit | None]) -> bool:
    limit = limits[use.movement.key]
    return use.movement.let_pass is None and limit is not None and limit.refuses


def _paid_before(uses: Sequence[_Use], too_much: Sequence[_Use]) -> dict[Place, int]:
    """What is given back as soon as these invoices are there, by their source, in minor units.

    Money that was paid on a deal before it was invoiced is allocated in the same transaction,
    behind this. So the invoice is judged by what will still be owed, and so is every later one of
    the same client.
    """
    judged = {use.movement.key for use in too_much if use.movement.let_pass is None}
    mine = [use for use in uses if use.movement.key in judged and use.added > 0]
    deals = {use.movement.deal_id for use in mine if use.movement.deal_id is not None}
    waiting = above.waiting_money(deal_ids=deals) if deals else {}
    sums: dict[Key, int] = defaultdict(int)
    found = {}
    for use in mine:
        movement = use.movement
        if movement.deal_id is not None:
            paid = waiting.get((movement.deal_id, *movement.key), 0)
            sums[movement.key] += min(paid, use.added)
        found[movement.place] = sums[movement.key]
    return found


def _refusal(use: _Use, limit: CreditLimit, excess: int) -> errors.CreditLimitExceeded:
    currency = limit.currency
    assert limit.amount is not None
    used, wanted = Money(use.used_before, currency), use.movement.amount
    available = limit.amount - used - Money(use.held, currency)
    missing = Money(excess, currency)
    return errors.CreditLimitExceeded(
        f"The client may owe {limit.amount} and owes {used}; {wanted} would be {missing} too much."
        " Collect what is due, raise the limit, or ask for an override of that much, which"
        " another person approves.",
        extra={
            "client": str(limit.client_id),
            "limit": limit.amount.to_json(),
            "used": used.to_json(),
            "held": Money(use.held, currency).to_json(),
            "available": available.to_json(),
            "wanted": wanted.to_json(),
            "above": missing.to_json(),
        },
    )


def _change(use: _Use, passage: _Passage | None) -> ledger.CreditChange:
    movement, currency = use.movement, use.movement.amount.currency
    kind = CreditLineEntryKind.USE if use.added > 0 else CreditLineEntryKind.RETURN
    return ledger.CreditChange(
        id=uuid8_near(
            movement.source_id, organization_id(), "credit", movement.client_id, currency
        ),
        subject_type=SUBJECT,
        subject_id=movement.client_id,
        kind=kind if passage is None else CreditLineEntryKind.OVERRIDE,
        used=Money(use.added, currency),
        held=Money.zero(currency),
        effective_on=movement.effective_on,
        source_type=movement.source_type,
        source_id=movement.source_id,
        reason="" if passage is None else passage.reason,
    )


def _record(passages: Sequence[_Passage], *, actor: Actor) -> list[Overrun]:
    """Keep who was let above a limit and why, and mark the overrides that it took."""
    rows = [_overrun(one, one.cause, actor=actor) for one in passages if one.cause is not None]
    if not rows:
        return []
    used = {row.override_id: row.source_id for row in rows if row.override_id is not None}
    if used:
        use_overrides(sources=used, actor=actor)
    Overrun.objects.bulk_create(rows, batch_size=_ROWS_PER_STATEMENT)
    audit.record_all([_passed(row) for row in rows], actor=actor)
    return rows


def _overrun(passage: _Passage, cause: Cause, *, actor: Actor) -> Overrun:
    use, movement = passage.use, passage.use.movement
    return Overrun(
        client_id=movement.client_id,
        currency=movement.amount.currency,
        source_type=movement.source_type,
        source_id=movement.source_id,
        deal_id=movement.deal_id,
        cause=cause,
        amount_minor=movement.amount.minor,
        limit_minor=passage.limit,
        used_minor=use.used_before + use.added,
        override_id=passage.override_id,
        reason=passage.reason,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )


def _passed(row: Overrun) -> events.CreditLimitPassed:
    return events.CreditLimitPassed(
        subject_id=row.id,
        client_id=row.client_id,
        source_type=row.source_type,
        source_id=row.source_id,
        deal_id=row.deal_id,
        cause=row.cause,
        currency=row.currency,
        amount_minor=row.amount_minor,
        limit_minor=row.limit_minor,
        used_minor=row.used_minor,
        override_id=row.override_id,
    )
