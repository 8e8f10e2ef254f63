"""Locks by name, kept by PostgreSQL until the transaction (or a block) ends, however it does.

Advisory locks belong to the whole database: each has the schema in its key, so that neighbours
never wait for each other.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from tenants.connections import connection
from tenants.errors import NoTenant


def lock_number(name: str) -> int:
    """The 64 bits that stand for the name in the schema that is being served.

    :raises NoTenant: no schema was chosen.
    """
    # The schema and not its organization: a spare that is being seeded belongs to nobody yet.
    schema = connection.schema_name
    if not schema:
        raise NoTenant("no schema is chosen")
    digest = hashlib.sha256(f"{schema}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def hold_alone(name: str) -> None:
    """Wait until nobody else holds the name, and keep it for this transaction alone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(name)])


def hold_shared(name: str) -> None:
    """Wait until nobody holds the name alone, and keep it together with others who share it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [lock_number(name)])


def try_alone(name: str) -> bool:
    """Keep the name for this transaction alone if nobody holds it; says whether it is ours."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [lock_number(name)])
        return bool(cursor.fetchone()[0])


@contextmanager
def alone_for_a_while(name: str) -> Iterator[bool]:
    """Keep the name alone until the block ends, over many transactions; says whether it is ours.

    It belongs to the connection, and goes with it: whoever is killed holds nothing.
    """
    number = lock_number(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        is_mine = bool(cursor.fetchone()[0])
    try:
        yield is_mine
    finally:
        if is_mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
