"""Rows of two tables that belong together, written by one statement."""

from collections.abc import Sequence
from typing import Any

from django.db import connections, router
from django.db.models import Model
from django.db.models.sql import InsertQuery


def insert_together(*, first: Sequence[Model], second: Sequence[Model]) -> None:
    """Write the rows of one table and those of another: one trip to the database instead of two.

    All rows have their ids; whoever has thousands of them calls this in portions.
    """
    using = router.db_for_write(type(first[0]))
    one, its_values = _insert(first, using)
    other, other_values = _insert(second, using)
    with connections[using].cursor() as cursor:
        cursor.execute(f"WITH first AS ({one}) {other}", [*its_values, *other_values])
    for row in (*first, *second):
        row._state.adding = False
        row._state.db = using


def _insert(rows: Sequence[Model], using: str) -> tuple[str, Sequence[Any]]:
    query = InsertQuery(type(rows[0]))
    query.insert_values(rows[0]._meta.concrete_fields, list(rows))
    ((statement, values),) = query.get_compiler(using).as_sql()
    return statement, values
