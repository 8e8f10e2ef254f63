"""The embedded PostgreSQL: made once, started in a moment, ours to recognise."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts import processes
from scripts.state import ScriptError

SUPERUSER = "postgres"
DATABASE = "kontor"
# Durable, and sized for a machine with two cores that many test databases share.
SETTINGS = {
    "listen_addresses": processes.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "8MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "max_locks_per_transaction": "512",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "idle_in_transaction_session_timeout": "15min",
}
# For servers whose data nobody misses: tests clone and drop databases by the hundred, and writing
# each of them through to the disk is most of what they would wait for.
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# For servers that are killed on purpose, on a machine that goes on: what a process has given to the
# system is not lost with the process, so nothing has to reach the disk.
UNSYNCED = {"fsync": "off"}
# Run by the owner itself, so that it administers the roles it made. It can be run again.
ROLES = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kontor_no_tenant') THEN
    CREATE ROLE kontor_no_tenant NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kontor_platform') THEN
    CREATE ROLE kontor_platform NOLOGIN;
  END IF;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kontor_app') THEN
    CREATE ROLE kontor_app LOGIN NOINHERIT;
  END IF;
END $$;
ALTER ROLE kontor_app PASSWORD '{app_password}';
GRANT kontor_no_tenant, kontor_platform TO kontor_app{membership};
"""


def postgres_version(programs: Path) -> int:
    """Answer the major version of the programs in a folder.

    :raises ScriptError: they do not run.
    """
    try:
        said = subprocess.run(
            [str(programs / "postgres"), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ScriptError(f"PostgreSQL does not run: {error}") from None
    return int(re.findall(r"\d+", said)[0])


@dataclass
class Postgres:
    """One server with its data folder; ``memory`` is runtime.json, which ``remember`` writes."""

    folder: Path
    programs: Path
    log: Path
    memory: dict[str, Any]
    remember: Callable[[], None]
    capability: int | None
    # What is different from the usual settings.
    changed: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data folder, which also tells our server from every other."""
        return self.folder

    def pid(self) -> int | None:
        """Answer the number in postmaster.pid, whoever bears it now."""
        first = self._read("postmaster.pid").split("\n")[0]
        return int(first) if first.isdigit() else None

    def is_running(self) -> bool:
        """Answer whether our own server runs; a stranger with its old number does not count."""
        return processes.is_ours(self.pid(), program="postgres", mark=str(self.folder))

    def start(self) -> None:
        """Make the server if need be and start it.

        :raises ScriptError: it does not start; the end of its log says why.
        """
        if self.is_running():
            self._await_ready(int(self.memory["postgres_port"]), None)
            return
        version = postgres_version(self.programs)
        if not self._read("PG_VERSION"):
            self._create(version)
        made_by = self._read("PG_VERSION").strip()
        if made_by != str(version):
            raise ScriptError(
                f"{self.folder} was made by PostgreSQL {made_by}, which {version} cannot read: "
                "dump it with the older one, or remove it."
            )
        # What a crash left behind; the server would refuse to start if the number now is another's.
        processes.spawn(
            ["/bin/rm", "-f", self.folder / "postmaster.pid"], capability=self.capability
        ).wait()
        for attempt in range(5):
            port = processes.free_port(self.memory.get("postgres_port") if not attempt else None)
            chosen = {**SETTINGS, **self.changed}
            settings = [word for k, v in chosen.items() for word in ("-c", f"{k}={v}")]
            with processes.open_log(self.log) as output:
                process = processes.spawn(
                    [self.programs / "postgres", "-D", self.folder, "-p", port, *settings],
                    capability=self.capability,
                    output=output,
                )
            if self._await_ready(port, process):
                self.memory["postgres_port"] = port
                self.remember()
                break
        else:
            raise ScriptError(f"PostgreSQL does not start:\n{processes.tail(self.log)}")
        if self.memory.get("roles_version") != 1:
            self._bootstrap(version)
            self.memory["roles_version"] = 1

    def stop(self) -> None:
        """End our server, open connections included; another's is left alone."""
        pid = self.pid()
        if pid:
            processes.end(
                pid,
                program="postgres",
                mark=str(self.folder),
                signals=(signal.SIGINT, signal.SIGQUIT),
            )

    def url(self, *, user: str) -> str:
        """Answer the address under which the login role reaches the database."""
        password = self.memory["passwords"][user]
        port = self.memory["postgres_port"]
        return f"postgres://{user}:{password}@{processes.LOOPBACK}:{port}/{DATABASE}"

    def _read(self, name: str) -> str:
        """Answer a file of the data folder, or nothing; root without its powers asks the owner."""
        path = self.folder / name
        try:
            return path.read_text()
        except PermissionError:
            reader = processes.spawn(["/bin/cat", path], capability=self.capability)
            output = reader.communicate()[0]
            return "" if reader.returncode else output.decode()
        except OSError:
            return ""

    def _create(self, version: int) -> None:
        """Make the data folder beside its place, so that half a one is never taken for whole."""
        if self.folder.exists():
            raise ScriptError(f"{self.folder} is not a complete database; remove it.")
        making = self.folder.with_name(f"{self.folder.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True, mode=0o700)
        passwords = {
            name: secrets.token_urlsafe(24) for name in (SUPERUSER, "kontor_owner", "kontor_app")
        }
        reader, writer = os.pipe()
        if processes.is_root():
            for owned in (making, reader):
                os.chown(owned, *processes.server_user())
        os.write(writer, passwords[SUPERUSER].encode() + b"\n")
        os.close(writer)
        provider = ["--locale-provider=builtin"] if version >= 17 else []
        process = processes.spawn(
            [
                self.programs / "initdb", "-D", making, "-U", SUPERUSER,
                "-A", "scram-sha-256", f"--pwfile=/dev/fd/{reader}", "-E", "UTF8",
                *provider, "--locale=C.UTF-8", "--data-checksums",
            ],
            capability=self.capability,
            pass_fds=(reader,),
        )  # fmt: skip
        output = process.communicate()[0]
        os.close(reader)
        if process.returncode:
            raise ScriptError(f"initdb failed:\n{output.decode(errors='replace')}")
        self.memory["passwords"] = passwords
        self.memory.pop("roles_version", None)
        self.remember()
        making.replace(self.folder)

    def _await_ready(
        self, port: int, process: subprocess.Popen[bytes] | None, *, seconds: float = 60.0
    ) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if process is not None and process.poll() is not None:
                return False
            # The last line is the server's own state; others hold paths, which may say anything.
            state = self._read("postmaster.pid").strip().rpartition("\n")[2].strip()
            if state == "ready" and processes.listens(port):
                return True
            time.sleep(0.05)
        return False

    def _bootstrap(self, version: int) -> None:
        owner = self.memory["passwords"]["kontor_owner"]
        self.execute(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kontor_owner') THEN "
            "CREATE ROLE kontor_owner LOGIN CREATEROLE CREATEDB NOSUPERUSER; END IF; END $$;\n"
            f"ALTER ROLE kontor_owner PASSWORD '{owner}';",
            user=SUPERUSER,
        )
        app = self.memory["passwords"]["kontor_app"]
        membership = " WITH INHERIT FALSE, SET TRUE" if version >= 16 else ""
        self.execute(ROLES.format(app_password=app, membership=membership), user="kontor_owner")
        found = self.execute(
            f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'", user="kontor_owner"
        )
        if not found.strip():
            self.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0", user="kontor_owner")
        self.execute(
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC;\n"
            f"GRANT CONNECT ON DATABASE {DATABASE} TO kontor_app;",
            user="kontor_owner",
        )

    def execute(self, sql: str, *, user: str, database: str = "postgres") -> str:
        """Run statements with psql, the password in its environment and never on a command line.

        :raises ScriptError: a statement was refused.
        """
        done = subprocess.run(
            [
                str(self.programs / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
                "-h", processes.LOOPBACK, "-p", str(self.memory["postgres_port"]),
                "-U", user, "-d", database, "-f", "-",
            ],
            input=sql,
            text=True,
            capture_output=True,
            check=False,
            env={
                **processes.QUIET_ENVIRONMENT,
                "PGPASSWORD": self.memory["passwords"][user],
                "PGCONNECT_TIMEOUT": "10",
            },
        )  # fmt: skip
        if done.returncode:
            raise ScriptError(f"PostgreSQL refused a statement: {done.stderr.strip()}")
        return done.stdout
