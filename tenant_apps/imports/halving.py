"""Writes a batch of rows where some may be against a rule."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from django.db import transaction

from shared_apps.kernel.errors import BadInput, Conflict, DomainError, NotFound, RuleRefused

RowT = TypeVar("RowT")
# What a row can be to blame for. Missing rights, a full quota or a lost database stop the import.
_OF_ONE_ROW = (BadInput, Conflict, NotFound, RuleRefused)


def in_halves(
    rows: Sequence[RowT],
    *,
    write: Callable[[Sequence[RowT]], None],
    refuse: Callable[[RowT, DomainError], None],
) -> int:
    """Write all rows at once; where a rule refuses, each half by itself, down to the row it is.

    Answers how many were written.
    """
    if not rows:
        return 0
    try:
        with transaction.atomic():
            write(rows)
    except _OF_ONE_ROW as error:
        if len(rows) == 1:
            refuse(rows[0], error)
            return 0
        middle = len(rows) // 2
        return sum(
            in_halves(half, write=write, refuse=refuse) for half in (rows[:middle], rows[middle:])
        )
    return len(rows)
