"""The rollup, counted anew from the facts themselves, and what differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from shared_apps.kernel.transactions import one_moment
from tenant_apps.commissions.models import Commission
from tenant_apps.dashboards.figures import MEASURES, Change, Dimension, Fact, Key, tally
from tenant_apps.dashboards.models import Rollup
from tenant_apps.deals.models import Deal
from tenant_apps.payments.models import Payment
from tenants.context import current_organization

_CHUNK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row whose figures are not what the facts give."""

    key: Key
    kept: dict[str, int]
    counted: dict[str, int]

    @property
    def change(self) -> Change:
        """What is missing in the row; below zero what is too much."""
        change = Change()
        for measure in MEASURES:
            count, minor = f"{measure}_count", f"{measure}_minor"
            change.counts[measure] = self.counted[count] - self.kept[count]
            change.amounts[measure] = self.counted[minor] - self.kept[minor]
        return change


def differences() -> list[Difference]:
    """Every row in which rollup and recount differ; none, if all is well.

    Both are read as of one moment, so it may run while people work.
    """
    calendar = current_organization().fiscal_calendar
    with one_moment():
        counted = {key: _sums(change) for key, change in tally(_facts(), calendar=calendar).items()}
        kept = dict(_kept())
    nothing = _sums(Change())
    return [
        Difference(key=key, kept=kept.get(key, nothing), counted=counted.get(key, nothing))
        for key in sorted(kept.keys() | counted.keys())
        if kept.get(key, nothing) != counted.get(key, nothing)
    ]


def _facts() -> Iterator[Fact]:
    yield from _won()
    yield from _collected()
    yield from _earned()


def _won() -> Iterator[Fact]:
    rows = Deal.objects.won().values_list(
        "closed_on", "value_minor", "currency", "owner_id", "unit_id", "client_id", "product_id"
    )
    for day, minor, currency, agent, unit, client, product in rows.iterator(_CHUNK):
        yield _fact("won", day, minor, currency, agent, unit, client, product)


def _collected() -> Iterator[Fact]:
    rows = Payment.objects.verified().values_list(
        "effective_on",
        "amount_minor",
        "currency",
        "deal__owner_id",
        "deal__unit_id",
        "client_id",
        "method",
    )
    for day, minor, currency, agent, unit, client, method in rows.iterator(_CHUNK):
        yield _fact("collected", day, minor, currency, agent, unit, client, None, method)


def _earned() -> Iterator[Fact]:
    rows = Commission.objects.accrued().values_list(
        "effective_on",
        "amount_minor",
        "currency",
        "owner_id",
        "deal__unit_id",
        "deal__client_id",
        "deal__product_id",
    )
    for day, minor, currency, agent, unit, client, product in rows.iterator(_CHUNK):
        yield _fact("commission", day, minor, currency, agent, unit, client, product)


def _fact(
    measure: str,
    day: Any,
    minor: Any,
    currency: str,
    agent: object,
    unit: object,
    client: object,
    product: object,
    method: object = None,
) -> Fact:
    named = {
        Dimension.AGENT: agent,
        Dimension.UNIT: unit,
        Dimension.CLIENT: client,
        Dimension.PRODUCT: product,
        Dimension.METHOD: method,
    }
    return Fact(
        measure=measure,
        day=day,
        amount_minor=minor,
        currency=currency,
        subjects={dimension: str(subject) for dimension, subject in named.items() if subject},
    )


def _kept() -> Iterator[tuple[Key, dict[str, int]]]:
    for row in Rollup.objects.all().iterator(_CHUNK):
        key = Key(row.dimension, row.grain, row.period, row.subject, row.currency)
        sums = {}
        for measure in MEASURES:
            sums[f"{measure}_count"] = getattr(row, f"{measure}_count")
            sums[f"{measure}_minor"] = getattr(row, f"{measure}_minor")
        # A row that came back to zero says the same as no row.
        yield key, sums


def _sums(change: Change) -> dict[str, int]:
    sums = {}
    for measure in MEASURES:
        sums[f"{measure}_count"] = change.counts[measure]
        sums[f"{measure}_minor"] = change.amounts[measure]
    return sums
