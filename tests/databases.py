"""Test databases: one migrated template per state of the code, cloned for each test process."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent
_BUILD_LOCK = 77_001
_STRUCTURE = (
    "*/migrations/*.py",
    "*/models.py",
    "*/models/*.py",
    "*/permissions.py",
    "*/apps.py",
    "*/chart.py",
    "*/provisioning.py",
    "*/seeds.py",
    "*/bundles.py",
    # They say which version of first rows a spare schema has.
    "*/registration.py",
    "*/subscribers.py",
)


def _address(database: str, *, login: str) -> str:
    url = os.environ["DATABASE_OWNER_URL" if login == "owner" else "DATABASE_URL"]
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))


def owner_connection(database: str = "postgres") -> psycopg.Connection:
    """The owner's login, beside all tests."""
    address = _address(database, login="owner").replace("postgres://", "postgresql://", 1)
    return psycopg.connect(address, autocommit=True)


def environment_for(database: str) -> dict[str, str]:
    """What a process of its own needs to work on `database`."""
    return {
        **os.environ,
        "DATABASE_URL": _address(database, login="app"),
        "DATABASE_OWNER_URL": _address(database, login="owner"),
    }


def fingerprint() -> str:
    """One text for everything that decides what a template database holds."""
    files = {
        ROOT / "tests/template.py",
        ROOT / "config/settings/applications.py",
        ROOT / "tests/settings.py",
    }
    files.update((ROOT / "tenants").rglob("*.py"))
    for floor in ("shared_apps", "tenant_apps"):
        for pattern in _STRUCTURE:
            files.update((ROOT / floor).glob(pattern))
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(ROOT)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def template() -> str:
    """The name of the template database; the first process that needs it builds it."""
    name = f"kontor_template_{fingerprint()}"
    with owner_connection() as server:
        server.execute("SELECT pg_advisory_lock(%s)", [_BUILD_LOCK])
        if not _exists(server, name):
            _drop_forgotten(server)
            building = f"{name}_building"
            _drop(server, building)
            server.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(building))
            )
            subprocess.run(
                [sys.executable, "-m", "tests.template"],
                cwd=ROOT,
                check=True,
                env={**environment_for(building), "DATABASE_LOGIN": "owner"},
            )
            server.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(building), sql.Identifier(name)
                )
            )
    return name


def clone(template_name: str, name: str) -> None:
    """A database of one's own, with what the template holds."""
    with owner_connection() as server:
        _drop(server, name)
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template_name)
            )
        )
        # The privileges of a database are not copied with its content.
        login = urlsplit(os.environ["DATABASE_URL"]).username or ""
        for statement in (
            sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                sql.Identifier(name), sql.Identifier(login)
            ),
        ):
            server.execute(statement)


def drop(name: str) -> None:
    with owner_connection() as server:
        _drop(server, name)


def _exists(server: psycopg.Connection, name: str) -> bool:
    return bool(server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())


def _drop(server: psycopg.Connection, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    for _ in range(50):
        try:
            server.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            # An autovacuum worker is in there, which only a superuser may end; it leaves by itself.
            time.sleep(0.1)
        else:
            return
    server.execute(statement)


def _drop_forgotten(server: psycopg.Connection) -> None:
    """Clones of processes that have ended, and all but the newest few templates."""
    names = [
        row[0]
        for row in server.execute(
            "SELECT datname FROM pg_database WHERE datname ~ '^kontor_(test|template)_'"
            " ORDER BY oid"
        )
    ]
    for name in names:
        if name.startswith("kontor_test_"):
            process = name.split("_")[2]
            if not Path(f"/proc/{process}").exists():
                _drop(server, name)
    templates = [name for name in names if name.startswith("kontor_template_")]
    for name in templates[:-40]:
        _drop(server, name)
