"""Recording new deals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection, transaction

from shared_apps.audit import history
from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.money import Money
from tenant_apps.deals import errors, events
from tenant_apps.deals.models import (
    OPEN_STAGES,
    Deal,
    Stage,
    StageChange,
    check_not_too_early,
    check_value,
)
from tenant_apps.deals.services.batches import ROWS_PER_STATEMENT, check_links, given, today
from tenant_apps.usage import services as usage

_AUTOMATIC = re.compile(r"DLID[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDeal:
    """A deal as it is first recorded.

    `value` is before tax and may be zero while the deal is open; its currency is the deal's.
    `stage` is an open one, reached on `staged_on` (today when None). Without a `reference` the
    sequence gives one. `external_source` and `external_reference` name the row of another system.
    """

    owner_id: UUID
    unit_id: UUID
    value: Money
    name: str = ""
    client_id: UUID | None = None
    product_id: UUID | None = None
    tax_rate_id: UUID | None = None
    stage: str = Stage.PROSPECTING
    staged_on: date | None = None
    expected_close_on: date | None = None
    reference: str = ""
    external_source: str = ""
    external_reference: str = ""


@transaction.atomic
def record_deals(
    *, actor: Actor, deals: Sequence[NewDeal], quota_bypass_reason: str = ""
) -> list[Deal]:
    """Record open deals, in the given order, with the first row of their history each.

    They count against the plan's deals a month. With a `quota_bypass_reason` they are let past it,
    and this reason is recorded (deals that were made before the organization came here).

    :raises QuotaExceeded: the plan allows no more deals this month.
    :raises Forbidden: the actor may not add deals for one of the owners.
    :raises NegativeValue, ValueTooLarge: a value is below zero or absurdly large.
    :raises StageNotReachable: a deal would begin as won or lost.
    :raises StageDateInFuture: a deal would begin on a day that has not come.
    :raises UnknownClient, UnknownProduct, UnknownTaxRate: the actor sees no such thing.
    :raises ReferenceReserved: a given reference looks like an automatic one.
    :raises DealAlreadyRecorded: a reference, given or external, stands on a deal already.
    """
    day = today()
    for new in deals:
        _check_new(new, today=day)
    check_links(
        actor=actor,
        client_ids=given(ids=[new.client_id for new in deals]),
        product_ids=given(ids=[new.product_id for new in deals]),
        tax_rate_ids=given(ids=[new.tax_rate_id for new in deals]),
    )
    _check_references(deals)
    automatic = iter(_next_references(sum(1 for new in deals if not new.reference)))
    rows = [
        _row(new, reference=new.reference or next(automatic), day=day, actor=actor) for new in deals
    ]
    # One check for each place, not for each row: the rule reads nothing else of a new row.
    for row in {(row.owner_id, row.unit_id): row for row in rows}.values():
        actor.require("deals.add_deal", row)
    if rows:
        usage.consume(
            name="deals_per_month", amount=len(rows), actor=actor, bypass_reason=quota_bypass_reason
        )
    Deal.objects.bulk_create(rows, batch_size=ROWS_PER_STATEMENT)
    history.record_bulk_created(rows, actor=actor)
    StageChange.objects.bulk_create(
        [
            StageChange(
                deal=row,
                to_stage=row.stage,
                occurred_on=new.staged_on or day,
                created_by_id=actor.user_id,
                updated_by_id=actor.user_id,
            )
            for row, new in zip(rows, deals, strict=True)
        ],
        batch_size=ROWS_PER_STATEMENT,
    )
    audit.record_all(
        [
            events.DealRecorded(
                **row.event_values(), stage=row.stage, recorded_on=new.staged_on or day
            )
            for row, new in zip(rows, deals, strict=True)
        ],
        actor=actor,
    )
    return rows


def _row(new: NewDeal, *, reference: str, day: date, actor: Actor) -> Deal:
    return Deal(
        reference=reference,
        name=new.name,
        owner_id=new.owner_id,
        unit_id=new.unit_id,
        client_id=new.client_id,
        product_id=new.product_id,
        tax_rate_id=new.tax_rate_id,
        stage=new.stage,
        value_minor=new.value.minor,
        currency=new.value.currency,
        engaged_on=(new.staged_on or day) if new.stage == Stage.ENGAGING else None,
        expected_close_on=new.expected_close_on,
        external_source=new.external_source,
        external_reference=new.external_reference,
        created_by_id=actor.user_id,
        updated_by_id=actor.user_id,
    )


def _check_new(new: NewDeal, *, today: date) -> None:
    check_value(new.value)
    if new.stage not in OPEN_STAGES:
        raise errors.StageNotReachable(
            "A deal begins open.", extra={"possible": [str(stage) for stage in OPEN_STAGES]}
        )
    if new.staged_on is not None:
        check_not_too_early(new.staged_on)
    if new.staged_on is not None and new.staged_on > today:
        raise errors.StageDateInFuture(f"{new.staged_on} has not come yet.")
    if _AUTOMATIC.fullmatch(new.reference):
        raise errors.ReferenceReserved(f"{new.reference} looks like an automatic reference.")


def _check_references(deals: Sequence[NewDeal]) -> None:
    own = [new.reference for new in deals if new.reference]
    external = [
        (new.external_source, new.external_reference) for new in deals if new.external_reference
    ]
    if len(set(own)) != len(own) or len(set(external)) != len(external):
        raise errors.DealAlreadyRecorded("A reference stands twice in one batch.")
    taken: list[str] = []
    if own:
        taken += Deal.objects.filter(reference__in=own).values_list("reference", flat=True)
    if external:
        known = Deal.objects.filter(
            external_source__in={source for source, _ in external},
            external_reference__in=[reference for _, reference in external],
        ).values_list("external_source", "external_reference")
        taken += [reference for _, reference in set(known).intersection(external)]
    if taken:
        raise errors.DealAlreadyRecorded(f"Recorded already: {', '.join(sorted(taken)[:5])}.")


def _next_references(count: int) -> list[str]:
    """The next automatic references: DLID0001 and so on."""
    return [f"DLID{number:04d}" for number in (_take(count) if count else [])]


def _take(count: int) -> list[int]:
    """The next numbers of the schema's sequence, in one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('deals_reference_seq') FROM generate_series(1, %s)", [count])
        return [number for (number,) in cursor.fetchall()]
