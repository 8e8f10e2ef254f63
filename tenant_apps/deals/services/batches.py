"""What every batch of deals needs: rows locked and rights checked, in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from shared_apps.audit import history
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.bulk import update_columns
from shared_apps.kernel.operations import step
from tenant_apps.deals import errors
from tenant_apps.deals.models import Deal
from tenant_apps.deals.selectors import deals_visible_to
from tenant_apps.parties.selectors import clients_visible_to
from tenant_apps.products.models import TaxRate
from tenant_apps.products.selectors import products_visible_to
from tenants.context import current_organization

ROWS_PER_STATEMENT = 500


@step
def today() -> date:
    """The calendar day in the organization's time zone."""
    return clock.today(current_organization().time_zone)


@step
def locked_deals(*, actor: Actor, deal_ids: Sequence[UUID]) -> dict[UUID, Deal]:
    """The deals by id, locked in the order of their ids.

    :raises DealRepeated: one id stands twice in the batch.
    :raises NotFound: the actor does not see one of them.
    """
    if len(set(deal_ids)) != len(deal_ids):
        raise errors.DealRepeated
    return {deal.id: deal for deal in deals_visible_to(actor).locked_all(deal_ids)}


@step
def require_for_all(*, actor: Actor, permission: str, deals: Iterable[Deal]) -> None:
    """Whether the actor holds a permission for each of the deals, in one query.

    :raises Forbidden: the actor does not hold it for one of them.
    """
    rows = list(deals)
    if len(rows) == 1:
        actor.require(permission, rows[0])
        return
    held = actor.visible(Deal.objects.filter(pk__in=[deal.id for deal in rows]), permission)
    permitted = set(held.values_list("pk", flat=True))
    for deal in rows:
        if deal.id not in permitted:
            actor.require(permission, deal)


@step
def check_links(
    *,
    actor: Actor,
    client_ids: set[UUID] | None = None,
    product_ids: set[UUID] | None = None,
    tax_rate_ids: set[UUID] | None = None,
) -> None:
    """Whether what deals point to exists for the actor: at most one query for each kind.

    :raises UnknownClient: a client is not one that the actor sees.
    :raises UnknownProduct: a product does not exist or is not sold any more.
    :raises UnknownTaxRate: a tax rate does not exist or is not active.
    """
    if client_ids and clients_visible_to(actor).filter(pk__in=client_ids).count() != len(
        client_ids
    ):
        raise errors.UnknownClient.field("client", detail="There is no such client.")
    if product_ids and products_visible_to(actor).active().filter(
        pk__in=product_ids
    ).count() != len(product_ids):
        raise errors.UnknownProduct.field("product", detail="There is no such product.")
    if tax_rate_ids and TaxRate.objects.active().filter(pk__in=tax_rate_ids).count() != len(
        tax_rate_ids
    ):
        raise errors.UnknownTaxRate.field("tax_rate", detail="There is no such tax rate.")


@step
def given(*, ids: Iterable[UUID | None]) -> set[UUID]:
    """Those ids that are not None."""
    return {one for one in ids if one is not None}


@step
def set_fields(*, deal: Deal, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set columns of a row in memory; answers before and after of those that differ."""
    changes: dict[str, tuple[Any, Any]] = {}
    for name, after in values.items():
        before = getattr(deal, name)
        if before != after:
            setattr(deal, name, after)
            changes[name] = (before, after)
    return changes


@step
def write_changes(
    *,
    actor: Actor,
    deals: Sequence[Deal],
    changes: Sequence[Mapping[str, tuple[Any, Any]]],
) -> None:
    """Store what `set_fields` set, raise the versions, and keep the field history."""
    moment = clock.now()
    names = {name for change in changes for name in change}
    for deal in deals:
        deal.raise_version()
        deal.updated_at = moment
        deal.updated_by_id = actor.user_id
    update_columns(
        deals,
        fields=[name.removesuffix("_id") for name in sorted(names)]
        + ["version", "updated_at", "updated_by_id"],
    )
    history.record_bulk_changed(
        deals,
        [
            {name.removesuffix("_id"): values for name, values in change.items()}
            for change in changes
        ],
        actor=actor,
    )
