"""The walls of the connection itself. The table used is one that both organizations have."""

import threading
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, transaction

from shared_apps.accounts.models import User
from tenants.connections import connection
from tenants.context import (
    current_organization,
    no_tenant_context,
    platform_context,
    tenant_context,
)
from tenants.database.base import DatabaseWrapper
from tenants.errors import NoTenant, TenancyError
from tenants.models import Organization


def marks() -> set[str]:
    return set(User.objects.values_list("full_name", flat=True))


def mark(name: str) -> None:
    User.objects.create(email=f"{name}@example.com", full_name=name)


def test_refuses_every_query_in_no_tenant(tenant: Organization) -> None:
    with no_tenant_context(), pytest.raises(NoTenant):
        User.objects.count()
    with no_tenant_context(), pytest.raises(NoTenant), connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_shows_each_organization_its_own_rows(
    organization: Organization, neighbour: Organization
) -> None:
    with tenant_context(organization):
        mark("of acme")
    with tenant_context(neighbour):
        mark("of neighbour")
        assert marks() == {"of neighbour"}
    with tenant_context(organization):
        assert marks() == {"of acme"}
    with platform_context(reason="test"):
        assert marks() == set()


def test_a_missing_table_is_an_error_and_not_the_public_table(tenant: Organization) -> None:
    assert Organization._meta.db_table == "tenants_organization"
    with pytest.raises(ProgrammingError, match="does not exist"):
        list(Organization.objects.all())


def test_the_search_path_holds_the_own_schema_and_nothing_else(tenant: Organization) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        assert cursor.fetchone() == (f"{tenant.schema_name}, pg_temp",)
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == (tenant.schema_name,)


def test_another_organizations_tables_are_refused_by_the_role(
    tenant: Organization, neighbour: Organization
) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"SELECT * FROM {neighbour.schema_name}.accounts_user")


def test_a_savepoint_rolled_back_after_a_switch_does_not_leave_the_former_path(
    organization: Organization, neighbour: Organization
) -> None:
    with tenant_context(organization):
        mark("of acme")
    connection.set_tenant(neighbour)
    with transaction.atomic():
        point = transaction.savepoint()
        connection.set_tenant(organization)
        assert marks() == {"of acme"}
        connection.set_tenant(neighbour)
        assert marks() == set()
        transaction.savepoint_rollback(point)
        assert marks() == set()
    connection.set_tenant(organization)
    assert marks() == {"of acme"}


def test_a_rolled_back_transaction_does_not_leave_the_former_path(
    real_commits: Organization,
) -> None:
    with tenant_context(real_commits):
        mark("of acme")
    from tests.conftest import _organization

    other = _organization("neighbour")
    connection.set_tenant(other)
    assert marks() == set()
    with pytest.raises(RuntimeError), transaction.atomic():
        connection.set_tenant(real_commits)
        assert marks() == {"of acme"}
        connection.set_tenant(other)
        assert marks() == set()
        raise RuntimeError
    assert marks() == set()
    connection.set_tenant(real_commits)
    assert marks() == {"of acme"}


def test_a_cancelled_switch_raises_and_is_not_remembered(
    real_commits: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import _organization

    mark("of acme")
    other = _organization("neighbour")
    connection.set_tenant(other)
    with monkeypatch.context() as patch:
        patch.setattr(
            DatabaseWrapper, "_wanted_state", lambda self: ("public, pg_temp", "nobody_at_all")
        )
        with pytest.raises(DatabaseError):
            marks()
        assert connection.search_path_set_schemas is None
    assert marks() == set()


def test_refuses_schema_names_that_are_not_ours(tenant: Organization) -> None:
    for name in ("pg_catalog", 't_x", public', "T_X", "t_x, public", "information_schema"):
        connection.set_schema(name)
        with pytest.raises(TenancyError):
            User.objects.count()
    connection.set_tenant(tenant)


def test_aborted_transactions_only_roll_back(real_commits: Organization) -> None:
    mark("of acme")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1/0")
    assert marks() == {"of acme"}


@pytest.mark.parametrize("closed", ["__enter__", "activate", "delete", "create_schema"])
def test_the_librarys_own_doors_are_closed(tenant: Organization, closed: str) -> None:
    with pytest.raises(TenancyError):
        getattr(tenant, closed)()


def test_organizations_are_not_deleted_in_sql_either(
    platform: None, organization: Organization
) -> None:
    for statement in (
        "DELETE FROM tenants_organization",
        "UPDATE tenants_organization SET schema_name = 't_other'",
        "UPDATE tenants_organization SET id = gen_random_uuid()",
        "TRUNCATE tenants_organization CASCADE",
    ):
        with platform_context(reason="test"), pytest.raises(DatabaseError), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(statement)
    with platform_context(reason="test"):
        assert Organization.objects.filter(schema_name=organization.schema_name).exists()
        with pytest.raises(TenancyError):
            Organization.objects.all().delete()


def test_threads_stay_in_their_organization(real_commits: Organization) -> None:
    from tests.conftest import _organization

    mark("of acme")
    other = _organization("neighbour")
    with tenant_context(other):
        mark("of neighbour")
    wrong: list[Any] = []

    def read(organization: Organization, expected: str) -> None:
        try:
            for _ in range(150):
                with tenant_context(organization):
                    if marks() != {expected} or current_organization() != organization:
                        wrong.append(expected)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=read, args=pair)
        for pair in [(real_commits, "of acme"), (other, "of neighbour")] * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_commit_that_the_database_made_a_rollback_does_not_leave_the_former_path(
    real_commits: Organization,
) -> None:
    from tests.conftest import _organization

    mark("of acme")
    connection.set_tenant(_organization("neighbour"))
    assert marks() == set()
    connection.set_tenant(real_commits)
    with transaction.atomic(), connection.cursor() as cursor, pytest.raises(DatabaseError):
        # Somebody swallows the error, and COMMIT undoes the switch without a word.
        cursor.execute("SELECT 1/0")
    assert marks() == {"of acme"}


NAMES = "SELECT full_name FROM accounts_user WHERE full_name LIKE %s::text"


def prepared_marks() -> set[str]:
    with connection.prepared_cursor() as cursor:
        cursor.execute(NAMES, ["of %"])
        return {name for (name,) in cursor.fetchall()}


def test_a_prepared_statement_reads_whatever_tenant_is_chosen(
    organization: Organization, neighbour: Organization
) -> None:
    with tenant_context(organization):
        mark("of acme")
    with tenant_context(neighbour):
        mark("of neighbour")
    for _ in range(4):
        with tenant_context(organization):
            assert prepared_marks() == {"of acme"}
        with tenant_context(neighbour):
            assert prepared_marks() == {"of neighbour"}
        with platform_context(reason="test"):
            assert prepared_marks() == set()
        with no_tenant_context(), pytest.raises(NoTenant):
            prepared_marks()


def test_a_prepared_statement_is_parsed_once_and_what_others_run_never(
    tenant: Organization,
) -> None:
    for _ in range(4):
        prepared_marks()
        marks()
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%user%'")
        assert [text for (text,) in cursor.fetchall()] == [NAMES.replace("%s", "$1")]
