"""The only writer of the reference tables."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.db import transaction

from shared_apps.kernel.operations import step
from shared_apps.reference.errors import UnreadableRates
from shared_apps.reference.models import ExchangeRate
from shared_apps.reference.rate_table import BadTable, Rate, read_rates

_BATCH = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did. `differing` counts rates that stand already with another value: kept."""

    days: int
    added: int
    known: int
    differing: int


@step
@transaction.atomic
def load_rates(
    *, lines: Iterable[str], source: str, progress: Callable[[int], None] = lambda rates: None
) -> Loaded:
    """Load a table of rates; all of it or, where a line is wrong, nothing.

    A dated rate never changes, for money was reckoned with it: where another value stands
    already, it stays and is counted as differing.

    :raises UnreadableRates: the table is not of the shape that the European Central Bank uses.
    """
    days: set[date] = set()
    added = known = differing = 0
    try:
        for batch in _batches(read_rates(lines)):
            standing = _standing(batch)
            fresh = [rate for rate in batch if _key(rate) not in standing]
            ExchangeRate.objects.bulk_create(
                ExchangeRate(
                    day=rate.day, base=rate.base, quote=rate.quote, rate=rate.rate, source=source
                )
                for rate in fresh
            )
            same = sum(1 for rate in batch if standing.get(_key(rate)) == rate.rate)
            days.update(rate.day for rate in batch)
            added += len(fresh)
            known += same
            differing += len(batch) - len(fresh) - same
            progress(added + known + differing)
    except BadTable as problem:
        raise UnreadableRates(str(problem)) from problem
    return Loaded(days=len(days), added=added, known=known, differing=differing)


def _batches(rates: Iterator[Rate]) -> Iterator[list[Rate]]:
    """Batches in which no rate stands twice, for a day may be repeated in a table."""
    while batch := list(islice(rates, _BATCH)):
        if len({_key(rate) for rate in batch}) < len(batch):
            raise BadTable(f"a day stands twice near {batch[0].day}")
        yield batch


def _key(rate: Rate | ExchangeRate) -> tuple[object, ...]:
    return rate.day, rate.base, rate.quote


def _standing(batch: list[Rate]) -> dict[tuple[object, ...], object]:
    found = ExchangeRate.objects.filter(
        day__gte=min(rate.day for rate in batch), day__lte=max(rate.day for rate in batch)
    )
    return {_key(rate): rate.rate for rate in found.iterator(chunk_size=_BATCH)}
