"""`manage.py check --database default` tells which walls of the tenancy stand."""

from typing import Any

from django.conf import settings
from django.core import checks

from tenants import roles
from tenants.connections import connection
from tenants.database.base import DatabaseWrapper


@checks.register(checks.Tags.database)
def walls(databases: Any = None, **kwargs: Any) -> list[checks.CheckMessage]:
    """What protects the organizations from our own bugs, on this database."""
    if not databases:
        return []
    found: list[checks.CheckMessage] = []
    if not isinstance(connection, DatabaseWrapper) and not hasattr(connection, "routing_lookup"):
        found.append(checks.Error("The tenancy's database wrapper is not in use.", id="tenants.E1"))
    if not settings.TENANT_ROLES:
        found.append(
            checks.Warning(
                "One database login serves everything: organizations are separated by search"
                " path and triggers, not by roles.",
                hint="Give DATABASE_OWNER_URL a login of its own that may create roles.",
                id="tenants.W1",
            )
        )
        if off := roles.guards_switched_off():
            found.append(
                checks.Error(
                    f"Tables that functions alone may write are unguarded in {len(off)} schemas.",
                    hint="They stand in for the roles: run migrate_fleet, which switches them on.",
                    id="tenants.E3",
                )
            )
    if not settings.TENANT_LIMIT_SET_CALLS:
        found.append(checks.Error("TENANT_LIMIT_SET_CALLS must stay on.", id="tenants.E2"))
    return found
