"""Runs one benchmark on a fresh, migrated database: `python -m scripts.benchmarks.runner NAME`."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from psycopg import sql

from scripts.benchmarks.goals import report
from scripts.state import PROJECT, ScriptError, say


def address(url: str, database: str) -> str:
    """Answer the address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def _owner(database: str = "postgres") -> psycopg.Connection:
    url = address(os.environ["DATABASE_OWNER_URL"], database)
    return psycopg.connect(url.replace("postgres://", "postgresql://", 1), autocommit=True)


@contextlib.contextmanager
def own_database(name: str) -> Iterator[None]:
    """Point both logins at a database of the benchmark's own; nothing of it stays.

    :raises ScriptError: it cannot be migrated.
    """
    database = f"kontor_bench_{name}_{os.getpid()}"
    with _owner() as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database))
        )
    try:
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            os.environ[variable] = address(os.environ[variable], database)
        os.environ["REDIS_PREFIX"] = database
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate_fleet"],
            cwd=PROJECT,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise ScriptError(f"the benchmark's database could not be migrated:\n{done.stdout}")
        yield
    finally:
        # The owner may not end the app's connections: they are closed here, also after a failure.
        if "django.db" in sys.modules:
            sys.modules["django.db"].connections.close_all()
        _forget(database)


def _forget(database: str) -> None:
    """Drop the database, and the roles of its schemas, which belong to the whole server."""
    with _owner(database) as server:
        roles = [
            row[0]
            for row in server.execute(
                "SELECT nspname FROM pg_namespace JOIN pg_roles ON rolname = nspname"
                " WHERE nspname ~ '^t_'"
            )
        ]
    with _owner() as server:
        _drop(database, server)
        for role in roles:
            # A role that another database's schema uses as well is not ours to drop.
            with contextlib.suppress(psycopg.errors.DependentObjectsStillExist):
                server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))


def _drop(database: str, server: psycopg.Connection) -> None:
    """Drop the database; the owner may not end a vacuum that is busy there, so it is waited for."""
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
    for _ in range(30):
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            server.execute(statement)
            return
        time.sleep(1)
    server.execute(statement)


def main(name: str) -> int:
    """Run the benchmark; the last line printed is its report."""
    # Connections of the running process are the app's: the same walls stand as in production.
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # One caller asks as often as it can: the limit is not what is measured.
    os.environ.setdefault("API_RATE_LIMITS", '{"api": "100000000/minute"}')
    try:
        say(f"{name}: making and migrating a database of its own")
        with own_database(name):
            django.setup()
            benchmark = importlib.import_module(f"scripts.benchmarks.{name}")
            print(benchmark.ABOUT, flush=True)
            figures = benchmark.run(progress=say)
            for label, figure in figures.items():
                print(f"  {label:<44} {figure}")
            result = report(name=name, figures=figures, goals=benchmark.GOALS)
            from django.db import connections

            connections.close_all()
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    print(json.dumps(result), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
