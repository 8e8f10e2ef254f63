"""Django's connection of this thread, with the type it has here."""

from typing import TYPE_CHECKING, cast

from django.db import connection as django_connection

if TYPE_CHECKING:
    from tenants.database.base import DatabaseWrapper

connection = cast("DatabaseWrapper", django_connection)
