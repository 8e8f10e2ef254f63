"""Credit lines: opened, limited, and changed by what uses or returns credit."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.errors import BadInput
from shared_apps.kernel.ids import request_hash
from shared_apps.kernel.money import Money
from shared_apps.kernel.operations import step
from tenant_apps.ledger import credit_database
from tenant_apps.ledger.entries import CreditChange, CreditState
from tenant_apps.ledger.errors import NegativeAmount, UnknownCreditLine
from tenant_apps.ledger.models import CreditLine, CreditLineEntry, CreditLineEntryKind
from tenant_apps.ledger.needed import credit_line_id_of

from .postings import require_transaction


@step
def open_credit_line(
    *, subject_type: str, subject_id: UUID, currency: str, actor: Actor, lock_rank: int = 0
) -> UUID:
    """Open a subject's line in a currency, without a limit; answer its id. Again changes nothing.

    `lock_rank` is its place in the order of locks: what many use at once is locked last.
    """
    require_transaction()
    line_id = credit_line_id_of(subject_type=subject_type, subject_id=subject_id, currency=currency)
    credit_database.open_credit_line(
        line_id=line_id,
        subject_type=subject_type,
        subject_id=subject_id,
        currency=currency,
        lock_rank=lock_rank,
    )
    return line_id


@step
def set_credit_limit(
    *,
    id: UUID,
    subject_type: str,
    subject_id: UUID,
    currency: str,
    limit: Money | None,
    effective_on: date,
    source_type: str,
    source_id: UUID,
    actor: Actor,
    reason: str = "",
) -> CreditState:
    """Set a line's limit, or take it away. What is in use above a lower limit may stay so.

    `id` makes it repeatable, as that of a change.

    :raises NegativeAmount: the limit is below zero.
    :raises BadInput: the limit is in another currency than the line.
    :raises UnknownCreditLine: the subject has no line in this currency.
    :raises PostingMismatch: the id belongs to a change with other content.
    """
    require_transaction()
    if limit is not None and limit.is_negative:
        raise NegativeAmount("A credit limit is zero or more.")
    if limit is not None and limit.currency != currency:
        raise BadInput("A credit limit is in the currency of its line.")
    change = CreditChange(
        id=id,
        subject_type=subject_type,
        subject_id=subject_id,
        kind=CreditLineEntryKind.LIMIT,
        used=Money(0, currency),
        held=Money(0, currency),
        effective_on=effective_on,
        source_type=source_type,
        source_id=source_id,
        reason=reason,
    )
    return _change(change, limit_minor=limit.minor if limit is not None else None, actor=actor)


@step
def change_credit(*, changes: Sequence[CreditChange], actor: Actor) -> list[CreditState]:
    """Change credit lines; one answer for each change, in the order given. All or nothing.

    The lines are locked in the order of their rank and id. The same change again is answered with
    the line as it stands now, marked `replayed`.

    :raises BadInput: the amounts are not those of the change's kind, or it is that of a limit.
    :raises UnknownCreditLine: a subject has no line in this currency.
    :raises AboveLimit: more would be in use than a limit allows.
    :raises CreditNotInUse: more would be given back than is in use.
    :raises PostingMismatch: an id belongs to a change with other content.
    """
    require_transaction()
    for change in changes:
        _check_fits_kind(change)
    wanted = {_line_of(change) for change in changes}
    ranks = dict(CreditLine.objects.filter(pk__in=wanted).values_list("pk", "lock_rank"))
    if len(ranks) < len(wanted):
        raise UnknownCreditLine
    in_lock_order = sorted(changes, key=lambda one: (ranks[_line_of(one)], _line_of(one)))
    replayed = credit_database.change_credit_lines(
        changes=[(one, _line_of(one), _content_hash(one, None)) for one in in_lock_order],
        recorded_at=clock.now(),
        actor_id=actor.user_id,
    )
    made = CreditLineEntry.objects.in_bulk([id for id in replayed if not replayed[id]])
    repeated = {_line_of(change) for change in changes if replayed[change.id]}
    lines = CreditLine.objects.in_bulk(repeated) if repeated else {}
    return [
        _state(
            lines[_line_of(change)] if replayed[change.id] else made[change.id],
            line_id=_line_of(change),
            replayed=replayed[change.id],
        )
        for change in changes
    ]


def _state(stand: CreditLine | CreditLineEntry, *, line_id: UUID, replayed: bool) -> CreditState:
    """How a line stands now, or stood right after an entry."""
    currency = stand.currency
    in_use = stand.used_minor + stand.held_minor
    limit = stand.limit_minor
    return CreditState(
        line_id=line_id,
        limit=None if limit is None else Money(limit, currency),
        used=Money(stand.used_minor, currency),
        held=Money(stand.held_minor, currency),
        available=None if limit is None else Money(limit - in_use, currency),
        replayed=replayed,
    )


def _check_fits_kind(change: CreditChange) -> None:
    if change.used.currency != change.held.currency:
        raise BadInput("What is used and what is held are in the currency of one line.")
    used, held = change.used.minor, change.held.minor
    fits: dict[str, bool] = {
        CreditLineEntryKind.USE: used >= 0 == held,
        CreditLineEntryKind.RETURN: used <= 0 == held,
        CreditLineEntryKind.HOLD: held >= 0 == used,
        CreditLineEntryKind.RELEASE: held <= 0 == used,
        CreditLineEntryKind.CAPTURE: 0 <= used <= -held,
        CreditLineEntryKind.OVERRIDE: used >= 0 <= held and bool(change.reason.strip()),
    }
    if not fits.get(change.kind, False):
        raise BadInput(f"This is no change of the kind {change.kind}.")


def _line_of(change: CreditChange) -> UUID:
    return credit_line_id_of(
        subject_type=change.subject_type,
        subject_id=change.subject_id,
        currency=change.used.currency,
    )


def _change(change: CreditChange, *, limit_minor: int | None, actor: Actor) -> CreditState:
    line_id = _line_of(change)
    replayed = credit_database.change_credit_line(
        change=change,
        line_id=line_id,
        limit_minor=limit_minor,
        request_hash=_content_hash(change, limit_minor),
        recorded_at=clock.now(),
        actor_id=actor.user_id,
    )
    line = CreditLine.objects.get(pk=line_id)
    return _state(line, line_id=line_id, replayed=replayed)


def _content_hash(change: CreditChange, limit_minor: int | None) -> bytes:
    content: dict[str, Any] = {
        "line": _line_of(change),
        "kind": change.kind,
        "used": [change.used.minor, change.used.currency],
        "held": [change.held.minor, change.held.currency],
        "limit": limit_minor,
        "effective_on": change.effective_on,
        "source": [change.source_type, change.source_id],
    }
    return bytes.fromhex(request_hash(content))
