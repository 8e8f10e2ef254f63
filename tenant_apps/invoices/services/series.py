"""The ranges of invoice numbers and their terms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from shared_apps.audit import services as audit
from shared_apps.kernel.actor import Actor
from tenant_apps.invoices import events
from tenant_apps.invoices.models import InvoiceSeries
from tenant_apps.invoices.selectors import series_visible_to

CHANGEABLE = frozenset({"payment_terms_days", "note"})


@transaction.atomic
def change_series(
    *,
    actor: Actor,
    series_id: UUID,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> InvoiceSeries:
    """Change the terms (days from issue to due) or the printed note of future invoices.

    :raises NotFound: no such series that the actor sees.
    :raises Forbidden: the actor may not change it.
    :raises PreconditionFailed: it is at another version.
    """
    unknown = set(changes) - CHANGEABLE
    if unknown:
        raise TypeError(f"These fields do not change: {', '.join(sorted(unknown))}.")
    series = series_visible_to(actor).locked(series_id)
    actor.require("invoices.change_invoiceseries", series)
    series.check_version(expected_version)
    changed = tuple(sorted(name for name in changes if getattr(series, name) != changes[name]))
    if not changed:
        return series
    for name in changed:
        setattr(series, name, changes[name])
    series.raise_version()
    series.updated_by_id = actor.user_id
    series.save()
    audit.record(events.InvoiceSeriesChanged(subject_id=series.id, fields=changed), actor=actor)
    return series


@transaction.atomic
def record_first_series(*, actor: Actor) -> None:
    """Give a new organization the series INV with 30 days (a step of founding it)."""
    actor.require("invoices.add_invoiceseries")
    if InvoiceSeries.objects.exists():
        return
    series = InvoiceSeries(
        code="INV", is_default=True, created_by_id=actor.user_id, updated_by_id=actor.user_id
    )
    series.save(force_insert=True)
    audit.record(events.InvoiceSeriesChanged(subject_id=series.id, fields=("code",)), actor=actor)
