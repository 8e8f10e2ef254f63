"""Changing what an open deal says, and who has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.deals import events
from tenant_apps.deals.models import Deal
from tenant_apps.deals.selectors import deals_visible_to, place_of
from tenant_apps.deals.services.batches import (
    check_links,
    given,
    locked_deals,
    require_for_all,
    set_fields,
    write_changes,
)

CHANGEABLE = frozenset(
    {"name", "client_id", "product_id", "tax_rate_id", "value", "expected_close_on"}
)


@transaction.atomic
def change_deal(
    *,
    actor: Actor,
    deal_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Deal:
    """Change fields of a deal (`CHANGEABLE`); values that are the same already stay unrecorded.

    :raises NotFound: no such deal that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    :raises DealClosed: it is won or lost and more than its name would change.
    :raises CurrencyIsFixed: the value is in another currency than the deal.
    :raises NegativeValue: the value is below zero.
    :raises UnknownClient, UnknownProduct, UnknownTaxRate: the actor sees no such thing.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    deal = deals_visible_to(actor).locked(deal_id)
    actor.require("deals.change_deal", deal)
    deal.check_version(expected_version)
    values = dict(changes)
    if "value" in values:
        value = values.pop("value")
        deal.check_currency(value)
        values["value_minor"] = value.minor
    differing = {name: after for name, after in values.items() if getattr(deal, name) != after}
    if not differing:
        return deal
    deal.check_changeable(frozenset(differing))
    check_links(
        actor=actor,
        client_ids=given(ids=[differing.get("client_id")]),
        product_ids=given(ids=[differing.get("product_id")]),
        tax_rate_ids=given(ids=[differing.get("tax_rate_id")]),
    )
    write_changes(actor=actor, deals=[deal], changes=[set_fields(deal=deal, values=differing)])
    audit.record(
        events.DealChanged(**deal.event_values(), fields=tuple(sorted(differing))), actor=actor
    )
    return deal


@transaction.atomic
def assign_deals(*, actor: Actor, deal_ids: Sequence[UUID], owner_id: UUID) -> list[Deal]:
    """Give open deals to another owner; they move to the unit that the owner works in.

    The actor must be allowed to assign where the deals stand and where they go.

    :raises DealRepeated: a deal stands twice in the batch.
    :raises NotFound: the actor does not see one of them.
    :raises Forbidden: the actor may not assign one of them, or not to this owner.
    :raises DealClosed: a closed deal stays with the one who closed it.
    :raises UnknownOwner: there is no such active member that the actor sees.
    """
    deals = locked_deals(actor=actor, deal_ids=deal_ids)
    require_for_all(actor=actor, permission="deals.assign_deal", deals=deals.values())
    _, unit_id = place_of(actor, owner_id=owner_id)
    actor.require("deals.assign_deal", Deal(owner_id=owner_id, unit_id=unit_id))
    ordered = [deals[deal_id] for deal_id in deal_ids]
    happened: list[events.DealAssigned] = []
    all_changes = []
    for deal in ordered:
        deal.check_assignable()
        before = (deal.owner_id, deal.unit_id)
        all_changes.append(set_fields(deal=deal, values={"owner_id": owner_id, "unit_id": unit_id}))
        happened.append(
            events.DealAssigned(
                **deal.event_values(), previous_owner_id=before[0], previous_unit_id=before[1]
            )
        )
    write_changes(actor=actor, deals=ordered, changes=all_changes)
    audit.record_all(happened, actor=actor)
    return ordered
