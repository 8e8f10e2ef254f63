"""What the tables of an organization keep to, read from the database's own catalog."""

from typing import Any

import pytest
from django.db import connection

from tenants.models import Organization


@pytest.fixture
def rows(tenant: Organization) -> Any:
    def ask(statement: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement, {"schema": tenant.schema_name})
            return cursor.fetchall()

    return ask


def test_every_table_has_a_primary_key(rows: Any) -> None:
    assert (
        rows(
            "SELECT c.relname FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace"
            " AND c.relkind IN ('r', 'p') AND NOT EXISTS (SELECT 1 FROM pg_index i"
            " WHERE i.indrelid = c.oid AND i.indisprimary)"
        )
        == []
    )


def test_keys_of_our_tables_are_uuids_or_bigints(rows: Any) -> None:
    libraries = ("auth_", "django_", "guardian_", "auditlog_", "otp_", "axes_")
    found = rows(
        "SELECT c.relname, a.attname, format_type(a.atttypid, NULL) FROM pg_class c"
        " JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(i.indkey)"
        " WHERE c.relnamespace = %(schema)s::regnamespace"
    )
    wrong = [
        row
        for row in found
        if row[2] not in {"uuid", "bigint", "smallint", "date", "text", "character varying"}
        and not row[0].startswith(libraries)
    ]
    assert wrong == []


def test_no_foreign_key_leaves_the_schema(rows: Any) -> None:
    assert (
        rows(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint k"
            " JOIN pg_class t ON t.oid = k.confrelid WHERE k.contype = 'f'"
            " AND k.connamespace = %(schema)s::regnamespace"
            " AND t.relnamespace <> %(schema)s::regnamespace"
        )
        == []
    )


def test_no_trigger_reads_a_table(rows: Any) -> None:
    bodies = rows(
        "SELECT DISTINCT p.proname, lower(p.prosrc) FROM pg_trigger g"
        " JOIN pg_proc p ON p.oid = g.tgfoid JOIN pg_class c ON c.oid = g.tgrelid"
        " WHERE NOT g.tgisinternal AND c.relnamespace = %(schema)s::regnamespace"
    )
    assert bodies, "there are append-only triggers"
    assert [name for name, body in bodies if " from " in body or "select" in body] == []


def test_functions_pin_their_search_path_to_the_schema(rows: Any, tenant: Organization) -> None:
    found = rows(
        "SELECT proname, prosecdef, array_to_string(proconfig, ';') FROM pg_proc"
        " WHERE pronamespace = %(schema)s::regnamespace"
    )
    wanted = f"search_path={tenant.schema_name}, pg_temp"
    definers = [row for row in found if row[1]]
    assert [row for row in definers if wanted not in (row[2] or "")] == []


def test_nothing_is_executable_or_readable_by_everybody(rows: Any) -> None:
    assert (
        rows(
            "SELECT proname FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace"
            " AND has_function_privilege('kontor_no_tenant', oid, 'EXECUTE')"
        )
        == []
    )
    assert (
        rows(
            "SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace"
            " AND relkind IN ('r', 'p') AND (has_table_privilege('kontor_no_tenant', oid, 'SELECT')"
            " OR has_table_privilege('kontor_platform', oid, 'SELECT'))"
        )
        == []
    )


def test_append_only_tables_cannot_be_changed(rows: Any) -> None:
    from tenants.roles import append_only_tables, read_only_tables

    wanted = append_only_tables() | read_only_tables()
    assert {"audit_entry", "auditlog_logentry"} <= wanted
    may_change = rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace"
        " AND relkind IN ('r', 'p') AND (has_table_privilege(oid, 'UPDATE')"
        " OR has_table_privilege(oid, 'DELETE') OR has_table_privilege(oid, 'TRUNCATE'))"
    )
    assert sorted({row[0] for row in may_change} & wanted) == []
