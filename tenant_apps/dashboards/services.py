"""The only writer of the rollup."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import connection

from shared_apps.audit import services as audit
from shared_apps.kernel import clock
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.ids import uuid7
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import one_moment, retrying
from tenant_apps.dashboards.events import RollupRepaired
from tenant_apps.dashboards.figures import Change, Fact, Key, tally
from tenant_apps.dashboards.models import Rollup
from tenant_apps.dashboards.recounting import Difference, differences
from tenants.context import current_organization, organization_id

_KEY_COLUMNS = ("dimension", "grain", "period", "subject", "currency")
_SUM_COLUMNS = (
    "won_count",
    "won_minor",
    "collected_count",
    "collected_minor",
    "commission_count",
    "commission_minor",
)
_ROWS_PER_STATEMENT = 2000


@step
def count_facts(*, facts: Iterable[Fact]) -> None:
    """Add facts to the rollup, in the transaction of the facts themselves.

    It is called by subscribers to acts that were allowed and recorded. Rows are locked in the
    order of their keys, the organization's own first.
    """
    changes = list(tally(facts, calendar=current_organization().fiscal_calendar).items())
    for start in range(0, len(changes), _ROWS_PER_STATEMENT):
        _add(changes[start : start + _ROWS_PER_STATEMENT])


@step
def repair_rollup(*, actor: Actor) -> list[Difference]:
    """Put every figure right that is not what the facts give; answer which were wrong.

    What is missing is added and what is too much taken off, so it may run while people work:
    facts that are counted meanwhile stay counted.
    """
    return retrying(partial(_repair, actor))


def _repair(actor: Actor) -> list[Difference]:
    with one_moment(read_only=False):
        found = differences()
        changes = [(one.key, one.change) for one in sorted(found, key=lambda one: one.key.place)]
        for start in range(0, len(changes), _ROWS_PER_STATEMENT):
            _add(changes[start : start + _ROWS_PER_STATEMENT])
        if found:
            audit.record(RollupRepaired(subject_id=organization_id(), rows=len(found)), actor=actor)
    return found


def _add(changes: list[tuple[Key, Change]]) -> None:
    table = Rollup._meta.db_table
    moment = clock.now()
    columns: list[list[object]] = [
        [uuid7() for _ in changes],
        *([getattr(key, name) for key, _ in changes] for name in _KEY_COLUMNS),
        *(_sums(changes, name) for name in _SUM_COLUMNS),
    ]
    casts = ["uuid[]", *["text[]"] * len(_KEY_COLUMNS), *["bigint[]"] * len(_SUM_COLUMNS)]
    names = ["id", *_KEY_COLUMNS, *_SUM_COLUMNS]
    arrays = ", ".join(f"%s::{cast}" for cast in casts)
    additions = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _SUM_COLUMNS)
    # An ORM upsert can only replace; adding in the database is what makes it safe in parallel.
    statement = f"""
        INSERT INTO {table} ({", ".join(names)}, created_at, updated_at)
        SELECT {", ".join(f"fact.{name}" for name in names)}, %s, %s
        FROM unnest({arrays}) WITH ORDINALITY AS fact ({", ".join(names)}, place)
        ORDER BY fact.place
        ON CONFLICT ({", ".join(_KEY_COLUMNS)})
        DO UPDATE SET {additions}, updated_at = excluded.updated_at
    """  # noqa: S608  (only names of columns of ours are put in)
    with connection.cursor() as cursor:
        cursor.execute(statement, [moment, moment, *columns])


def _sums(changes: list[tuple[Key, Change]], column: str) -> list[object]:
    measure, _, kind = column.partition("_")
    if kind == "count":
        return [change.counts[measure] for _, change in changes]
    return [change.amounts[measure] for _, change in changes]
