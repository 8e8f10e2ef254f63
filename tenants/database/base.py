"""The database connection of a process that serves many organizations: it fails closed.

django-tenants keeps the search path of a connection, with four habits that leak: it adds `public`
to every tenant's path, swallows a failed `SET`, remembers a path that a rollback has undone, and
starts in `public`. This wrapper changes each of them, and switches the database role together with
the path, in one statement.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db.backends.postgresql.base import ServerBindingCursor
from django_tenants.postgresql_backend import base as library
from psycopg.pq import TransactionStatus
from psycopg.types.array import ListDumper

from tenants.errors import NoTenant, TenancyError

TENANT_SCHEMA = re.compile(r"t_[a-z0-9_]{1,40}\Z")
NO_TENANT_ROLE = "kontor_no_tenant"
PLATFORM_ROLE = "kontor_platform"
_UNRESTRICTED = "none"


class QuickListDumper(ListDumper):
    """Writes lists of scalars, as bulk inserts send them column by column.

    The library's own escapes by a regular expression, a call for each quotation mark: with columns
    of JSON that is a quarter of a bulk insert's time. Every value may stand in quotation marks.
    """

    def dump(self, obj: list[Any]) -> Any:
        if self.sub_dumper is None or any(isinstance(item, list) for item in obj):
            return super().dump(obj)
        dump = self.sub_dumper.dump
        return b"{" + self.delimiter.join([_in_quotes(item, dump) for item in obj]) + b"}"


def _in_quotes(item: Any, dump: Callable[[Any], Any]) -> bytes:
    value = None if item is None else dump(item)
    if value is None:
        return b"NULL"
    return b'"' + bytes(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


class Nobody:
    """The tenant of a connection that has none."""

    schema_name = None
    id = None

    def get_tenant_type(self) -> None:
        return None


class DatabaseWrapper(library.DatabaseWrapper):
    """A connection in one of three states: no tenant, the platform (`public`), or one tenant."""

    # The path and role that the connection is known to have; None where that is not known.
    search_path_set_schemas: list[str] | None
    _setting_search_path: bool
    tenant: Any
    schema_name: str | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._switching_forbidden = False
        self._routing = False
        self._preparing = False
        super().__init__(*args, **kwargs)
        if not settings.DATABASE_IS_OWNER:
            self.set_no_tenant()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        opened = super().get_new_connection(conn_params)
        opened.adapters.register_dumper(list, QuickListDumper)
        return opened

    @contextmanager
    def prepared_cursor(self) -> Iterator[Any]:
        """A cursor for few texts, run very often: the database parses and plans each of them once.

        Values are bound by the server, so each needs its type in the text (`%s::uuid`). Another
        search path has a text parsed again, so no plan is carried from one tenant to the next.
        """
        self._preparing = True
        try:
            cursor = self.cursor()
        finally:
            self._preparing = False
        with cursor:
            yield cursor

    def create_cursor(self, name: str | None = None) -> Any:
        if not self._preparing or name is not None:
            return super().create_cursor(name)
        client_side = self.connection.cursor_factory
        self.connection.cursor_factory = ServerBindingCursor
        try:
            return super().create_cursor()
        finally:
            self.connection.cursor_factory = client_side

    def set_tenant(self, tenant: Any, include_public: bool = False) -> None:
        """Choose a tenant. The database hears of it with the next statement."""
        self.tenant = tenant
        self.schema_name = tenant.schema_name
        self.include_public_schema = False
        self.set_settings_schema(self.schema_name)
        self.search_path_set_schemas = None

    def set_no_tenant(self) -> None:
        """Choose nothing: every statement but the routing's own lookups is refused."""
        self._routing = False
        self.set_tenant(Nobody())

    @contextmanager
    def routing_lookup(self) -> Iterator[None]:
        """Let the routing ask, in no tenant, which organization a host belongs to."""
        if self.schema_name is not None:
            raise TenancyError("the routing looks up hosts before a tenant is chosen")
        self._routing = True
        self.search_path_set_schemas = None
        try:
            yield
        finally:
            self._routing = False
            self.search_path_set_schemas = None

    def _wanted_state(self) -> tuple[str, str]:
        """The search path and the role for the state that was chosen."""
        schema = self.schema_name
        if schema is None:
            if not self._routing:
                raise NoTenant("no organization is chosen for this query")
            path, role = "public, pg_temp", NO_TENANT_ROLE
        elif schema == "public":
            path, role = "public, pg_temp", PLATFORM_ROLE
        elif TENANT_SCHEMA.match(schema):
            # Never quoted: functions made with SET search_path FROM CURRENT keep this very text.
            path, role = f"{schema}, pg_temp", schema
        else:
            raise TenancyError(f"not the name of an organization's schema: {schema!r}")
        if settings.DATABASE_IS_OWNER or not settings.TENANT_ROLES:
            role = _UNRESTRICTED
        return path, role

    def _handle_search_path(self, cursor: Any = None) -> None:
        if self._setting_search_path or self._switching_forbidden:
            return
        if self.search_path_set_schemas and self.schema_name is not None:
            return
        if self.connection.info.transaction_status == TransactionStatus.INERROR:
            # Only ROLLBACK can run now. The memory stays empty: the next good statement switches.
            return
        path, role = self._wanted_state()
        self._setting_search_path = True
        switch = self.connection.cursor() if cursor is None else cursor
        try:
            with self.wrap_database_errors:
                switch.execute(
                    "SELECT set_config('search_path', %s, false), set_config('role', %s, false)",
                    (path, role),
                )
        except BaseException:
            self.search_path_set_schemas = None
            raise
        else:
            self.search_path_set_schemas = [path, role]
        finally:
            self._setting_search_path = False
            if cursor is None:
                switch.close()

    @contextmanager
    def _without_switching(self) -> Iterator[None]:
        """For statements that read no table: they run whatever was chosen."""
        self._switching_forbidden = True
        try:
            yield
        finally:
            self._switching_forbidden = False

    def _commit(self) -> None:
        # Of an aborted transaction, whose error somebody swallowed, COMMIT is a ROLLBACK in all but
        # name: it undoes a switch that was made within.
        if (
            self.connection is not None
            and self.connection.info.transaction_status == TransactionStatus.INERROR
        ):
            self.search_path_set_schemas = None
        super()._commit()

    def _savepoint(self, sid: str) -> None:
        with self._without_switching():
            super()._savepoint(sid)

    def _savepoint_commit(self, sid: str) -> None:
        with self._without_switching():
            super()._savepoint_commit(sid)

    def _savepoint_rollback(self, sid: str) -> None:
        # It must never depend on a switch, and it undoes one that was made after the savepoint.
        try:
            with self._without_switching():
                super()._savepoint_rollback(sid)
        finally:
            self.search_path_set_schemas = None

    def init_connection_state(self) -> None:
        with self._without_switching():
            super().init_connection_state()

    def check_constraints(self, table_names: Any = None) -> None:
        with self._without_switching():
            super().check_constraints(table_names)
