"""Readiness says which schemas lack migrations, and asks seldom."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg import sql

from config import health
from tenants import structure
from tenants.context import platform_context
from tenants.models import MigratedSchema
from tests import databases

APP = "parties"


@pytest.fixture(autouse=True)
def _ask_anew() -> Iterator[None]:
    health.migrations_said.until = 0.0
    yield
    health.migrations_said.until = 0.0


def as_owner(statement: sql.Composable | str, *parameters: object) -> None:
    with databases.owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(statement, parameters)  # type: ignore[arg-type]


def answer() -> Any:
    return Client(HTTP_HOST="kontor.test").get("/api/health/ready/").json()


def test_is_satisfied_with_what_the_fleet_was_migrated_to(real_commits: Any) -> None:
    assert answer()["checks"]["migrations"] == "ok"
    with platform_context(reason="test"):
        assert MigratedSchema.objects.filter(schema_name=real_commits.schema_name).exists()


def test_an_app_of_which_the_platform_has_nothing_is_missed(real_commits: Any) -> None:
    as_owner("DELETE FROM public.django_migrations WHERE app = 'plans'")
    told = answer()
    assert told["status"] == "not ready"
    assert told["checks"]["migrations"].startswith("public lacks plans.")


def test_an_organization_that_is_behind_is_named(real_commits: Any) -> None:
    schema = real_commits.schema_name
    as_owner(
        "UPDATE public.tenants_migratedschema SET digest = 'former', applied = (SELECT"
        " jsonb_agg(name) FROM jsonb_array_elements_text(applied) AS name"
        " WHERE name NOT LIKE 'parties.%%') WHERE schema_name = %s",
        schema,
    )
    assert answer()["checks"]["migrations"] == f"behind: {schema}"


def test_an_organization_of_which_nothing_is_known_is_behind(real_commits: Any) -> None:
    as_owner("DELETE FROM public.tenants_migratedschema")
    assert answer()["checks"]["migrations"] == "behind: t_test_acme, t_test_neighbour"


def test_an_organization_that_newer_code_migrated_is_not_behind(real_commits: Any) -> None:
    as_owner(
        "UPDATE public.tenants_migratedschema SET digest = 'newer',"
        " applied = applied || '[\"parties.0099_of_tomorrow\"]'::jsonb"
    )
    assert answer()["checks"]["migrations"] == "ok"


def test_only_a_few_of_many_are_named() -> None:
    names = [f"t_{number}" for number in range(6)]
    assert health._some(names) == "t_0, t_1, t_2, t_3, t_4 and more"


def test_asks_two_statements_and_not_again_at_once(platform: None) -> None:
    structure.digest()
    with CaptureQueriesContext(connection) as asked:
        assert health._migrations() == "ok"
    assert sum("FROM" in query["sql"] for query in asked) == 2
    with CaptureQueriesContext(connection) as asked:
        assert health._migrations() == "ok"
    assert len(asked) == 0


def test_the_apps_login_cannot_write_down_what_a_schema_has(platform: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('tenants_migratedschema', 'INSERT, UPDATE, DELETE')"
        )
        assert cursor.fetchone() == (False,)
