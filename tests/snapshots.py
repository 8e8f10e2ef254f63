"""Everything that an organization's schema holds, as one value per table."""

from django.db import connection
from psycopg import sql

# When somebody was last seen is no business fact: a refused request may note it.
_PASSING = {"accounts_session"}


def snapshot() -> dict[str, str]:
    """A digest of each table of the current organization; equal ones hold equal rows."""
    tables = sorted(set(connection.introspection.table_names()) - _PASSING)
    with connection.cursor() as cursor:
        query = sql.SQL(" UNION ALL ").join(
            sql.SQL(
                "SELECT {name}, count(*) || ':' ||"
                " coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {table} t"
            ).format(name=sql.Literal(table), table=sql.Identifier(table))
            for table in tables
        )
        cursor.execute(query)
        return dict(cursor.fetchall())


def changed(before: dict[str, str]) -> list[str]:
    """The tables that differ from what they held."""
    return [name for name, digest in snapshot().items() if before.get(name) != digest]
