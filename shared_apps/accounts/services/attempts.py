"""Counting attempts before they are made.

An attempt is counted in the database by one statement and before the password is looked at, so
that a hundred attempts at the same moment are a hundred and not one. Counters are named by a
hash of what they count and hold no address.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from shared_apps.accounts.models import AttemptCounter
from shared_apps.kernel import clock, ids
from shared_apps.kernel.operations import step


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """So many attempts within a window that begins with the first of them."""

    name: str
    attempts: int
    window: timedelta

    def counter(self, *of: str) -> Counter:
        return Counter(limit=self, id=ids.uuid8_from("attempts", self.name, *of))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    limit: Limit
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Exceeded:
    """A counter beyond its limit, and the seconds until its window ends."""

    counter: Counter
    seconds: int
    is_first: bool


@step
def count(*counters: Counter) -> dict[UUID, Exceeded]:
    """Count one attempt on each counter; those that are now beyond their limit, by counter id."""
    now = clock.now()
    by_id = {counter.id: counter for counter in counters}
    # One order for all, so that two callers queue instead of waiting for each other.
    rows = sorted(by_id.values(), key=lambda counter: counter.id)
    table = AttemptCounter._meta.db_table
    values = ", ".join(["(%s, %s, 1)"] * len(rows))
    parameters: list[Any] = []
    for counter in rows:
        parameters += [counter.id, now + counter.limit.window]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS kept (id, window_ends_at, attempts) VALUES {values}"  # noqa: S608  (names only)
            " ON CONFLICT (id) DO UPDATE SET"
            " attempts = CASE WHEN kept.window_ends_at <= %s THEN 1 ELSE kept.attempts + 1 END,"
            " window_ends_at = CASE WHEN kept.window_ends_at <= %s"
            " THEN excluded.window_ends_at ELSE kept.window_ends_at END"
            " RETURNING id, attempts, window_ends_at",
            [*parameters, now, now],
        )
        counted = cursor.fetchall()
    return {
        counter_id: Exceeded(
            counter=by_id[counter_id],
            seconds=max(1, ceil((ends_at - now).total_seconds())),
            is_first=attempts == by_id[counter_id].limit.attempts + 1,
        )
        for counter_id, attempts, ends_at in counted
        if attempts > by_id[counter_id].limit.attempts
    }


@step
def forget(*counters: Counter) -> None:
    """Start again at nothing."""
    AttemptCounter.objects.filter(id__in=[counter.id for counter in counters]).delete()


@step
def give_back(*counters: Counter) -> None:
    """Take back one counted attempt that turned out to be rightful."""
    wanted = [counter.id for counter in counters]
    AttemptCounter.objects.filter(id__in=wanted, attempts__gt=0).update(attempts=F("attempts") - 1)


@step
def place_of(*, ip_address: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one IPv6 customer holds."""
    try:
        address = ipaddress.ip_address(ip_address)
    except ValueError:
        return ip_address
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
