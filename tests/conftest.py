"""The harness: every test process has a clone of one template database, and the app's own login."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import databases

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

_sequence = iter(range(1, 1_000_000))


def _connection() -> Any:
    from django.db import connection

    return connection


def _own_database(label: str) -> str:
    return f"kontor_test_{os.getpid()}_{label}"


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> None:
    """Argon2 stays; its cost is the smallest there is."""
    from django.contrib.auth.hashers import get_hasher

    hasher: Any = type(get_hasher())
    hasher.time_cost = 1
    hasher.memory_cost = 8
    hasher.parallelism = 1


@pytest.fixture(scope="session")
def template_database() -> str:
    return databases.template()


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: Any, template_database: str
) -> Iterator[None]:
    connection = _connection()
    name = _own_database(_worker)
    databases.clone(template_database, name)
    connection.close()
    connection.settings_dict["NAME"] = name
    yield
    with django_db_blocker.unblock():
        connection.close()
    databases.drop(name)


@pytest.fixture(autouse=True)
def _own_cache() -> None:
    """Each test begins with empty caches: rate limits and routes of another do not reach it."""
    from django.conf import settings
    from django.core.cache import caches

    number = next(_sequence)
    for alias in settings.CACHES:
        caches[alias].key_prefix = f"{settings.CACHES[alias]['KEY_PREFIX']}:{number}"


@pytest.fixture(scope="session", autouse=True)
def _forget_redis() -> Iterator[None]:
    """Nothing of the tests stays in Redis."""
    yield
    import redis

    server = redis.Redis.from_url(os.environ["REDIS_URL"])
    keys = list(server.scan_iter(match=f"*{os.environ['REDIS_PREFIX']}*", count=1000))
    if keys:
        server.delete(*keys)


def _organization(subdomain: str) -> Any:
    from tenants.selectors import organization_by_subdomain

    return organization_by_subdomain(subdomain)


@pytest.fixture
def platform(db: None) -> Iterator[None]:
    """The public schema, rolled back after the test."""
    from tenants.context import platform_context

    with platform_context(reason="test"):
        yield
    _connection().set_no_tenant()


@pytest.fixture
def organization(db: None) -> Iterator[Any]:
    """Acme, one of the two neighbours. The connection stays in no tenant."""
    yield _organization("acme")
    _connection().set_no_tenant()


@pytest.fixture
def neighbour(db: None) -> Any:
    """The other organization: its rows have the same primary keys."""
    return _organization("neighbour")


@pytest.fixture
def tenant(organization: Any) -> Iterator[Any]:
    """Acme's context, rolled back after the test."""
    from tenants.context import tenant_context

    with tenant_context(organization):
        yield organization
    _connection().set_no_tenant()


@pytest.fixture
def real_commits(
    django_db_setup: None, django_db_blocker: Any, template_database: str
) -> Iterator[Any]:
    """Acme's context on a database of this test's own, where commits are real.

    Other processes reach it through `tests.databases.environment_for(connection's NAME)`.
    """
    from tenants.context import tenant_context

    connection = _connection()
    former = connection.settings_dict["NAME"]
    name = _own_database(f"{_worker}_{next(_sequence)}")
    databases.clone(template_database, name)
    with django_db_blocker.unblock():
        connection.close()
        connection.settings_dict["NAME"] = name
        connection.set_no_tenant()
        try:
            with tenant_context(_organization("acme")) as acme:
                yield acme
        finally:
            connection.close()
            connection.set_no_tenant()
            connection.settings_dict["NAME"] = former
    databases.drop(name)


@pytest.fixture
def trial_data() -> Path:
    """The real input beside the project; a test that needs it says that it is not there."""
    from django.conf import settings

    if not settings.TRIAL_DATA.is_dir():
        pytest.skip(f"the trial data are not at {settings.TRIAL_DATA}")
    return Path(settings.TRIAL_DATA)
