"""A number in a pid file proves nothing: after a crash it may be a stranger's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import processes
from scripts.postgres import Postgres


def server(folder: Path) -> Postgres:
    return Postgres(
        folder=folder,
        programs=folder,
        log=folder / "log",
        memory={},
        remember=lambda: None,
        capability=None,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a path with spaces" / "postgres"
    made.mkdir(parents=True)
    return made


def pretender(*words: str) -> subprocess.Popen[bytes]:
    """A process that sleeps under the command line of another program."""
    program, *rest = words
    sleep = "import time; print('awake', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [program, "-c", sleep, *rest], executable=sys.executable, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes_started: list[subprocess.Popen[bytes]] = []
    yield processes_started
    for process in processes_started:
        process.kill()
        process.wait()


def write_pid(folder: Path, pid: int) -> None:
    (folder / "postmaster.pid").write_text(f"{pid}\n{folder}\n")


def test_a_strangers_number_is_not_ours(folder: Path) -> None:
    write_pid(folder, os.getpid())
    assert not server(folder).is_running()


def test_a_number_nobody_has_is_not_ours(folder: Path) -> None:
    write_pid(folder, 2**22 + 1)
    assert not server(folder).is_running()


def test_a_spoilt_pid_file_is_not_ours(folder: Path) -> None:
    (folder / "postmaster.pid").write_text("nonsense\n")
    assert server(folder).pid() is None
    assert not server(folder).is_running()


def test_our_own_server_is_recognized(folder: Path, started: list[subprocess.Popen[bytes]]) -> None:
    started.append(pretender("/somewhere/bin/postgres", "-D", str(folder)))
    write_pid(folder, started[0].pid)
    assert server(folder).is_running()


def test_another_copys_server_is_not_ours(
    folder: Path, tmp_path: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(pretender("/somewhere/bin/postgres", "-D", str(tmp_path / "other")))
    write_pid(folder, started[0].pid)
    assert not server(folder).is_running()


def test_a_stranger_that_names_our_folder_is_not_ours(
    folder: Path, started: list[subprocess.Popen[bytes]]
) -> None:
    started.append(pretender("/usr/bin/tail", "-f", str(folder)))
    write_pid(folder, started[0].pid)
    assert not server(folder).is_running()


def test_a_rewritten_title_is_recognized(started: list[subprocess.Popen[bytes]]) -> None:
    started.append(pretender("/a path/bin/valkey-server 127.0.0.1:4711"))
    pid = started[0].pid
    assert processes.is_ours(pid, program="valkey-server", mark="127.0.0.1:4711")
    assert not processes.is_ours(pid, program="valkey-server", mark="127.0.0.1:471")


def test_ending_leaves_strangers_alone(started: list[subprocess.Popen[bytes]]) -> None:
    started.append(pretender("/usr/bin/innocent"))
    pid = started[0].pid
    assert processes.end(
        pid, program="postgres", mark="/data", signals=[signal.SIGTERM], patience=0.1
    )
    assert started[0].poll() is None
