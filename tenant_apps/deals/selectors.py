"""The only reader of deals that other apps call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from auditlog.models import LogEntry
from django.db.models import Prefetch, QuerySet

from shared_apps.access.selectors import home_unit_of, users_visible_to
from shared_apps.audit.selectors import field_history_of
from shared_apps.kernel.actor import Actor
from tenant_apps.deals import errors
from tenant_apps.deals.models import Activity, Deal, DealQuerySet, StageChange
from tenant_apps.parties.selectors import clients_visible_to
from tenant_apps.products.selectors import products_visible_to, tax_rates_visible_to


def deals_visible_to(actor: Actor) -> DealQuerySet:
    """The deals that the actor may see."""
    return actor.visible(Deal.objects.all(), "deals.view_deal")


def with_relations(deals: DealQuerySet, *, shown: Iterable[str], actor: Actor) -> DealQuerySet:
    """The deals with some of client, product and owner beside them (`client`, `product.tax_rate`).

    Each relation is fetched once for all rows, and only as far as the actor may see it: seeing a
    deal is no right to see the person behind it.
    """
    visible: dict[str, QuerySet[Any]] = {
        "client": clients_visible_to(actor),
        "product": products_visible_to(actor),
        "product.tax_rate": tax_rates_visible_to(actor),
        "owner": users_visible_to(actor),
    }
    return deals.prefetch_related(
        *(Prefetch(path.replace(".", "__"), queryset=visible[path]) for path in _outer_first(shown))
    )


def _outer_first(paths: Iterable[str]) -> list[str]:
    """The paths with those they lie in, which have to be fetched before them."""
    wanted = set(paths) | {path.partition(".")[0] for path in paths}
    return sorted(wanted)


def stage_changes_visible_to(actor: Actor, *, deal_id: UUID) -> QuerySet[StageChange]:
    """The stages of a deal; they are seen with the deal.

    :raises NotFound: no such deal that the actor sees.
    """
    return StageChange.objects.filter(deal=deals_visible_to(actor).obtain(deal_id))


def activities_visible_to(actor: Actor, *, deal_id: UUID) -> QuerySet[Activity]:
    """The activities of a deal; they are seen with the deal.

    :raises NotFound: no such deal that the actor sees.
    """
    return Activity.objects.filter(deal=deals_visible_to(actor).obtain(deal_id))


def field_history_visible_to(actor: Actor, *, deal_id: UUID) -> QuerySet[LogEntry]:
    """Every change of a deal's fields, newest first; it is seen with the deal.

    :raises NotFound: no such deal that the actor sees.
    """
    return field_history_of(Deal, pk=deals_visible_to(actor).obtain(deal_id).pk)


def deals_for_invoicing(*, deal_ids: Iterable[UUID]) -> dict[UUID, Deal]:
    """These deals with client, product and tax rates, in one query, whoever asks."""
    return Deal.objects.select_related(
        "client", "product", "product__tax_rate", "tax_rate"
    ).in_bulk(set(deal_ids))


def recorded_references(*, source: str, references: Iterable[str]) -> dict[str, UUID]:
    """Which of the references of an external source are recorded, with the deal's id."""
    return dict(
        Deal.objects.filter(
            external_source=source, external_reference__in=set(references)
        ).values_list("external_reference", "id")
    )


def stages_of(*, deal_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The present stage of each of these deals, for an import that goes on after a kill."""
    return dict(Deal.objects.filter(pk__in=set(deal_ids)).values_list("id", "stage"))


def place_of(actor: Actor, *, owner_id: UUID | None) -> tuple[UUID, UUID]:
    """Owner and unit of a deal: somebody the actor sees, or the actor when nobody is named.

    :raises UnknownOwner: there is no such active member of the organization, or it is not visible.
    """
    owner = owner_id or actor.user_id
    if owner is None:
        raise errors.UnknownOwner.field("owner", detail="A deal belongs to a person.")
    seen = owner == actor.user_id or users_visible_to(actor).filter(pk=owner).exists()
    unit = home_unit_of(user_id=owner) if seen else None
    if unit is None:
        raise errors.UnknownOwner.field("owner", detail="There is no such active member.")
    return owner, unit.id
