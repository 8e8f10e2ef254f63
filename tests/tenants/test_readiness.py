"""Readiness says which schemas lack migrations, and asks seldom."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg import sql
from redis.exceptions import ConnectionError as RedisConnectionError

from config import health
from tenants import structure
from tenants.context import platform_context
from tenants.models import MigratedSchema
from tests import databases


def forget() -> None:
    for check in (health.migrations, health.organizations):
        check.until = 0.0


@pytest.fixture(autouse=True)
def _ask_anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # No worker runs beside the tests.
    monkeypatch.setitem(health.NEEDED, "worker", lambda: "ok")
    forget()
    yield
    forget()


def as_owner(statement: sql.Composable | str, *parameters: object) -> None:
    with databases.owner_connection(connection.settings_dict["NAME"]) as owner:
        owner.execute(statement, parameters)  # type: ignore[arg-type]


def answer() -> Any:
    return Client(HTTP_HOST="kontor.test").get("/api/health/ready/")


def test_is_satisfied_with_what_the_fleet_was_migrated_to(real_commits: Any) -> None:
    told = answer()
    assert (told.status_code, told.json()["status"]) == (200, "ready")
    assert set(told.json()["checks"].values()) == {"ok"}
    with platform_context(reason="test"):
        assert MigratedSchema.objects.filter(schema_name=real_commits.schema_name).exists()


def test_a_platform_that_lacks_an_app_is_not_ready(real_commits: Any) -> None:
    as_owner("DELETE FROM public.django_migrations WHERE app = 'plans'")
    told = answer()
    assert (told.status_code, told.json()["status"]) == (503, "not ready")
    assert told["Retry-After"] == "5"
    assert told.json()["checks"]["migrations"].startswith("public lacks plans.")


@pytest.mark.parametrize("error", [OSError, OperationalError, RedisConnectionError])
@pytest.mark.parametrize("part", ["database", "cache", "worker", "migrations"])
def test_without_a_part_that_all_need_it_is_not_ready(
    real_commits: Any, monkeypatch: pytest.MonkeyPatch, part: str, error: type[Exception]
) -> None:
    def gone() -> str:
        raise error

    monkeypatch.setitem(health.NEEDED, part, gone)
    told = answer()
    assert (told.status_code, told.json()["status"]) == (503, "not ready")
    assert told.json()["checks"][part] == f"unreachable ({error.__name__})"


def test_a_worker_is_there_when_it_has_run_a_task_lately(platform: None) -> None:
    caches["routing"].delete("worker_beat")
    assert health._worker() == "no worker has run a task lately"
    health.beat.apply(throw=True)
    try:
        assert health._worker() == "ok"
    finally:
        caches["routing"].delete("worker_beat")


def test_the_database_is_asked_something(platform: None) -> None:
    """A connection of the pool says nothing about a server that has gone since."""
    with CaptureQueriesContext(connection) as asked:
        assert health._database() == "ok"
    assert any("SELECT 1" in query["sql"] for query in asked)


def test_a_cache_that_does_not_remember_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful:
        def set(self, *_: Any, **__: Any) -> None: ...

        def get(self, *_: Any) -> None: ...

    assert health._cache() == "ok"
    monkeypatch.setattr(health, "caches", {"routing": Forgetful()})
    assert health._cache() == "does not remember"


def test_an_organization_that_is_behind_is_named_and_the_others_are_served(
    real_commits: Any,
) -> None:
    schema = real_commits.schema_name
    as_owner(
        "UPDATE public.tenants_migratedschema SET digest = 'former', applied = (SELECT"
        " jsonb_agg(name) FROM jsonb_array_elements_text(applied) AS name"
        " WHERE name NOT LIKE 'parties.%%') WHERE schema_name = %s",
        schema,
    )
    told = answer()
    assert (told.status_code, told.json()["status"]) == (200, "degraded")
    assert told.json()["checks"]["organizations"] == f"behind: {schema}"
    assert told.json()["checks"]["migrations"] == "ok"


def test_an_organization_of_which_nothing_is_known_is_behind(real_commits: Any) -> None:
    as_owner("DELETE FROM public.tenants_migratedschema")
    told = answer().json()["checks"]["organizations"]
    assert told == "behind: t_test_acme, t_test_neighbour"


def test_an_organization_that_newer_code_migrated_is_not_behind(real_commits: Any) -> None:
    as_owner(
        "UPDATE public.tenants_migratedschema SET digest = 'newer',"
        " applied = applied || '[\"parties.0099_of_tomorrow\"]'::jsonb"
    )
    assert answer().json()["checks"]["organizations"] == "ok"


def test_only_a_few_of_many_are_named() -> None:
    names = [f"t_{number}" for number in range(6)]
    assert health._some(names) == "t_0, t_1, t_2, t_3, t_4 and more"


def test_asks_two_statements_and_not_again_at_once(platform: None) -> None:
    structure.digest()
    with CaptureQueriesContext(connection) as asked:
        assert {health.migrations(), health.organizations()} == {"ok"}
    assert sum("FROM" in query["sql"] for query in asked) == 2
    with CaptureQueriesContext(connection) as asked:
        assert {health.migrations(), health.organizations()} == {"ok"}
    assert len(asked) == 0


def test_the_apps_login_cannot_write_down_what_a_schema_has(platform: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('tenants_migratedschema', 'INSERT, UPDATE, DELETE')"
        )
        assert cursor.fetchone() == (False,)
