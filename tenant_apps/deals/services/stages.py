"""Moving deals from stage to stage, and winning them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.deals import errors, events
from tenant_apps.deals.models import CLOSED_STAGES, Deal, Stage, StageChange
from tenant_apps.deals.services.batches import (
    ROWS_PER_STATEMENT,
    check_links,
    given,
    locked_deals,
    require_for_all,
    set_fields,
    today,
    write_changes,
)
from tenant_apps.parties.services import lock_parties


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMove:
    """That a deal goes to a stage, on a day (today when None).

    Only with the stage won, `value` (before tax, in the deal's currency) and `client_id` replace
    what the deal has.
    """

    deal_id: UUID
    to_stage: str
    occurred_on: date | None = None
    comment: str = ""
    value: Money | None = None
    client_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DealWin:
    """That a deal is won, on a day (today when None).

    `value` (before tax, in the deal's currency) and `client_id` replace what the deal has.
    """

    deal_id: UUID
    closed_on: date | None = None
    value: Money | None = None
    client_id: UUID | None = None
    comment: str = ""


@transaction.atomic
def change_stages(*, actor: Actor, moves: Sequence[StageMove]) -> list[StageChange]:
    """Move deals to any stages that may follow, won included, in the given order.

    The invoices of deals that are won are made in the same transaction, by the subscriber of
    `DealWon`.

    :raises DealRepeated: a deal stands twice in the batch.
    :raises NotFound: the actor does not see one of them.
    :raises Forbidden: the actor may not change one of them.
    :raises StageNotReachable: the stage cannot follow the deal's present one.
    :raises StageDateInFuture: the day has not come.
    :raises ClosedBeforeEngaged: the day lies before the one the deal was engaged on.
    :raises ValueOnlyWhenWon: a value or client was given with another stage.
    :raises UnknownClient: a given client is not one that the actor sees.
    :raises CurrencyIsFixed: a given value is in another currency than the deal.
    :raises DealHasNoClient, DealHasNoValue: a won deal has not what an invoice needs.
    :raises CreditLimitExceeded: a client's credit limit refuses the invoice of a won deal.
    """
    deals = locked_deals(actor=actor, deal_ids=[move.deal_id for move in moves])
    require_for_all(actor=actor, permission="deals.change_deal", deals=deals.values())
    moved = _move_all(moves, deals=deals, actor=actor)
    audit.record_all([_event(one) for one in moved], actor=actor)
    return [one.row for one in moved]


@transaction.atomic
def win_deals(
    *, actor: Actor, wins: Sequence[DealWin], credit_bypass_reason: str = ""
) -> list[Deal]:
    """Win deals, in the given order; answers the deals. Raises what `change_stages` raises.

    With a `credit_bypass_reason` no credit limit refuses their invoices, and this reason is
    recorded (deals that were won before the organization came here).
    """
    deals = locked_deals(actor=actor, deal_ids=[win.deal_id for win in wins])
    require_for_all(actor=actor, permission="deals.change_deal", deals=deals.values())
    moves = [
        StageMove(
            deal_id=win.deal_id,
            to_stage=Stage.WON,
            occurred_on=win.closed_on,
            comment=win.comment,
            value=win.value,
            client_id=win.client_id,
        )
        for win in wins
    ]
    moved = _move_all(moves, deals=deals, actor=actor)
    audit.record_all(
        [_event(one, credit_bypass_reason=credit_bypass_reason) for one in moved], actor=actor
    )
    return [one.deal for one in moved]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    deal: Deal
    changes: Mapping[str, tuple[Any, Any]]
    row: StageChange


def _move_all(
    moves: Sequence[StageMove], *, deals: Mapping[UUID, Deal], actor: Actor
) -> list[_Moved]:
    """Judge all moves, then write them: deals, field history, stage changes."""
    check_links(actor=actor, client_ids=given(ids=[move.client_id for move in moves]))
    day = today()
    moved = [_move(deals[move.deal_id], move, today=day, actor=actor) for move in moves]
    won = given(ids=[one.deal.client_id for one in moved if one.row.to_stage == Stage.WON])
    if won:
        lock_parties(party_ids=won)
    if moved:
        write_changes(
            actor=actor,
            deals=[one.deal for one in moved],
            changes=[one.changes for one in moved],
        )
        StageChange.objects.bulk_create([one.row for one in moved], batch_size=ROWS_PER_STATEMENT)
    return moved


def _move(deal: Deal, move: StageMove, *, today: date, actor: Actor) -> _Moved:
    """Judge one move and set its columns in memory."""
    day = move.occurred_on or today
    if day > today:
        raise errors.StageDateInFuture(f"{day} has not come yet.")
    deal.check_may_become(move.to_stage, on=day)
    from_stage = deal.stage
    closes = move.to_stage in CLOSED_STAGES
    values: dict[str, Any] = {"stage": move.to_stage, "closed_on": day if closes else None}
    if move.to_stage == Stage.ENGAGING:
        values["engaged_on"] = day
    if move.to_stage != Stage.WON and (move.value is not None or move.client_id is not None):
        raise errors.ValueOnlyWhenWon
    if move.client_id is not None:
        values["client_id"] = move.client_id
    if move.value is not None:
        deal.check_currency(move.value)
        values["value_minor"] = move.value.minor
    changes = set_fields(deal=deal, values=values)
    if move.to_stage == Stage.WON:
        deal.check_winnable()
    return _Moved(
        deal=deal,
        changes=changes,
        row=StageChange(
            deal=deal,
            from_stage=from_stage,
            to_stage=move.to_stage,
            occurred_on=day,
            comment=move.comment,
            created_by_id=actor.user_id,
            updated_by_id=actor.user_id,
        ),
    )


def _event(moved: _Moved, *, credit_bypass_reason: str = "") -> events.DealEvent:
    values = moved.deal.event_values()
    row = moved.row
    if row.to_stage == Stage.WON:
        return events.DealWon(
            **values,
            from_stage=row.from_stage,
            closed_on=row.occurred_on,
            credit_bypass_reason=credit_bypass_reason,
        )
    if row.to_stage == Stage.LOST:
        return events.DealLost(**values, from_stage=row.from_stage, closed_on=row.occurred_on)
    return events.DealStageChanged(
        **values,
        from_stage=row.from_stage,
        to_stage=row.to_stage,
        occurred_on=row.occurred_on,
    )
