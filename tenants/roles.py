"""Database roles and grants: what each state of a connection may do.

Run as the owner. Where the database allows one login only, the search path still separates the
organizations, and triggers keep append-only tables append-only.
"""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db.models import Model
from psycopg import sql

from tenants.connections import connection
from tenants.database.base import NO_TENANT_ROLE, PLATFORM_ROLE
from tenants.errors import TenancyError
from tenants.models import Organization

# What the routing reads before a tenant is chosen.
ROUTING_TABLES = ("tenants_organization", "tenants_domain")
# Structure: written by migrations alone.
STRUCTURE_TABLES = ("django_migrations", "django_content_type", "auth_permission")
APPEND_ONLY_LIBRARY_TABLES = ("auditlog_logentry",)


def execute(statement: sql.Composable, *parameters: object) -> None:
    """Run one statement whose identifiers were composed, never concatenated."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def _membership_options() -> sql.SQL:
    if connection.pg_version >= 160000:  # type: ignore[attr-defined]
        return sql.SQL(" WITH INHERIT FALSE, SET TRUE")
    return sql.SQL("")


def role_exists(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
        return cursor.fetchone() is not None


def _is_member(*, role: str, of_login: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
            " JOIN pg_roles l ON l.oid = m.member WHERE r.rolname = %s AND l.rolname = %s",
            [role, of_login],
        )
        return cursor.fetchone() is not None


def create_role(name: str) -> None:
    """A role without login that the app's login may switch to."""
    if not role_exists(name):
        execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(name)))
    if not _is_member(role=name, of_login=settings.DATABASE_APP_LOGIN):
        execute(
            sql.SQL("GRANT {} TO {}").format(
                sql.Identifier(name), sql.Identifier(settings.DATABASE_APP_LOGIN)
            )
            + _membership_options()
        )


def prepare_database() -> None:
    """Take from PUBLIC what PostgreSQL gives it, and make the roles that every database has."""
    database = sql.Identifier(settings.DATABASES["default"]["NAME"])
    execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    execute(sql.SQL("REVOKE ALL ON SCHEMA public FROM PUBLIC"))
    execute(sql.SQL("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"))
    if not settings.TENANT_ROLES:
        return
    execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            database, sql.Identifier(settings.DATABASE_APP_LOGIN)
        )
    )
    for role in (NO_TENANT_ROLE, PLATFORM_ROLE):
        create_role(role)
        execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(sql.Identifier(role)))
    platform = sql.Identifier(PLATFORM_ROLE)
    _default_privileges(schema="public", role=platform)


def _default_privileges(*, schema: str, role: sql.Identifier) -> None:
    """Tables of the future may be read and inserted into: UPDATE and DELETE come by `grant`."""
    prefix = sql.SQL("ALTER DEFAULT PRIVILEGES IN SCHEMA {} ").format(sql.Identifier(schema))
    for what in (
        "GRANT SELECT, INSERT ON TABLES TO {}",
        "GRANT USAGE ON SEQUENCES TO {}",
        "GRANT EXECUTE ON FUNCTIONS TO {}",
    ):
        execute(prefix + sql.SQL(what).format(role))


def prepare_schema(schema_name: str) -> None:
    """Make an organization's schema and its role, with defaults that fail closed."""
    schema = sql.Identifier(schema_name)
    execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    if not settings.TENANT_ROLES:
        return
    create_role(schema_name)
    execute(sql.SQL("GRANT USAGE ON SCHEMA {0} TO {0}").format(schema))
    _default_privileges(schema=schema_name, role=schema)


def drop_schema(schema_name: str) -> None:
    """Drop a schema that belongs to nobody, and its role where no other database uses it.

    :raises TenancyError: it is an organization's.
    """
    if Organization.objects.filter(schema_name=schema_name).exists():
        raise TenancyError(f"{schema_name} is an organization's schema")
    execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema_name)))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles r WHERE rolname = %s AND NOT EXISTS ("
            " SELECT FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass"
            " AND refobjid = r.oid)",
            [schema_name],
        )
        is_free = cursor.fetchone() is not None
    if is_free:
        execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(schema_name)))


def _models() -> Iterator[type[Model]]:
    yield from apps.get_models(include_auto_created=True)


def append_only_tables() -> frozenset[str]:
    """Tables whose rows are never changed: their models say `append_only = True`."""
    ours = {m._meta.db_table for m in _models() if getattr(m, "append_only", False)}
    return frozenset(ours) | frozenset(APPEND_ONLY_LIBRARY_TABLES)


def read_only_tables() -> frozenset[str]:
    """Tables that only database functions write: their models say `read_only = True`."""
    return frozenset(m._meta.db_table for m in _models() if getattr(m, "read_only", False))


def _tables(schema_name: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace"
            " AND relkind IN ('r', 'p') ORDER BY relname",
            [schema_name],
        )
        return [row[0] for row in cursor.fetchall()]


def _privileges(table: str, *, public: bool) -> str:
    if table in STRUCTURE_TABLES or table in read_only_tables():
        return "SELECT"
    if table in append_only_tables():
        return "SELECT, INSERT"
    if public and table == "tenants_organization":
        return "SELECT, INSERT, UPDATE"
    return "SELECT, INSERT, UPDATE, DELETE"


def grant(schema_name: str) -> None:
    """After each migration: give every table's privileges anew, and guard append-only tables."""
    public = schema_name == "public"
    role = PLATFORM_ROLE if public else schema_name
    schema = sql.Identifier(schema_name)
    tables = _tables(schema_name)
    statements: list[sql.Composable] = []
    if settings.TENANT_ROLES:
        for table in tables:
            qualified = sql.SQL("{}.{}").format(schema, sql.Identifier(table))
            statements.append(
                sql.SQL("REVOKE ALL ON {} FROM {}").format(qualified, sql.Identifier(role))
            )
            statements.append(
                sql.SQL("GRANT {} ON {} TO {}").format(
                    sql.SQL(_privileges(table, public=public)), qualified, sql.Identifier(role)
                )
            )
            if public and table in ROUTING_TABLES:
                statements.append(
                    sql.SQL("GRANT SELECT ON {} TO {}").format(
                        qualified, sql.Identifier(NO_TENANT_ROLE)
                    )
                )
        statements.append(
            sql.SQL("GRANT USAGE ON ALL SEQUENCES IN SCHEMA {} TO {}").format(
                schema, sql.Identifier(role)
            )
        )
        statements.append(
            sql.SQL("GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {} TO {}").format(
                schema, sql.Identifier(role)
            )
        )
    statements.extend(_append_only_guards(schema, tables))
    statements.extend(stand_ins(schema_name))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("; ").join(statements))


def stand_ins(schema_name: str) -> Iterator[sql.Composable]:
    """Switch off the triggers that say what a role's missing privileges say, where roles stand.

    A read-only table's trigger called `..._guard` refuses each write that no function announced.
    PostgreSQL parses its condition again for every statement, which is dear on a hot table.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE c.relnamespace = %s::regnamespace AND NOT t.tgisinternal"
            " AND right(t.tgname, 6) = '_guard' AND t.tgenabled <> %s ORDER BY 1, 2",
            [schema_name, "D" if settings.TENANT_ROLES else "O"],
        )
        found = cursor.fetchall()
    for table, trigger in found:
        if table in read_only_tables():
            yield sql.SQL("ALTER TABLE {}.{} {} TRIGGER {}").format(
                sql.Identifier(schema_name),
                sql.Identifier(table),
                sql.SQL("DISABLE" if settings.TENANT_ROLES else "ENABLE"),
                sql.Identifier(trigger),
            )


def guards_switched_off() -> list[str]:
    """The schemas of which a read-only table's guard is switched off."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT n.nspname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE right(t.tgname, 6) = '_guard' AND t.tgenabled = 'D' AND NOT t.tgisinternal"
            " AND c.relname = ANY (%s) ORDER BY 1",
            [sorted(read_only_tables())],
        )
        return [name for (name,) in cursor.fetchall()]


def _append_only_guards(schema: sql.Identifier, tables: list[str]) -> Iterator[sql.Composable]:
    """A trigger that only raises: it says "append-only" too where roles are refused."""
    yield sql.SQL(
        "CREATE OR REPLACE FUNCTION {}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$"
        # Retention's own function drops old audit entries; no role may delete them otherwise.
        "BEGIN IF TG_OP = 'DELETE' AND current_setting('seals.dropping', true) = TG_TABLE_NAME"
        " THEN RETURN OLD; END IF;"
        " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '42501'; END$$"
    ).format(schema)
    for table in sorted(append_only_tables() & set(tables)):
        for name, when in (
            ("append_only_rows", "BEFORE UPDATE OR DELETE ON {}.{} FOR EACH ROW"),
            ("append_only_table", "BEFORE TRUNCATE ON {}.{} FOR EACH STATEMENT"),
        ):
            yield sql.SQL(
                f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION {{}}.refuse_change()"
            ).format(schema, sql.Identifier(table), schema)
