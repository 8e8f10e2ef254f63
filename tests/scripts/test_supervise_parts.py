"""A crashed part is started again, ever more patiently; at the end nothing of ours is left."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import supervisor
from scripts.running import choose_ports
from scripts.state import ScriptError
from scripts.supervisor import Part, Supervisor, pause_before_start


def part(tmp_path: Path, code: str) -> Part:
    return Part(name="part", command=[sys.executable, "-c", code], log=tmp_path / "part.log")


def await_that(holds: Callable[[], bool], *, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_waits_longer_after_each_failure() -> None:
    assert [pause_before_start(failures) for failures in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]


def test_starts_a_crashed_part_again(tmp_path: Path) -> None:
    crashing = part(tmp_path, "raise SystemExit(3)")
    overseer = Supervisor([crashing], os.environ)
    overseer.start()

    def crashed_twice() -> bool:
        overseer.tend()
        crashing.next_start = 0
        return crashing.endings[:2] == [3, 3]

    await_that(crashed_twice)
    overseer.stop()


def test_gives_up_on_wrong_settings(tmp_path: Path) -> None:
    refusing = part(tmp_path, "print('the setting X is missing'); raise SystemExit(78)")
    overseer = Supervisor([refusing], os.environ)
    overseer.start()
    assert refusing.process is not None
    refusing.process.wait()
    with pytest.raises(ScriptError, match="the setting X is missing"):
        overseer.tend()


def test_ends_a_part_that_does_not_listen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PATIENCE_AT_END", 0.2)
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True)"
    deaf = part(tmp_path, f"{code}; time.sleep(60)")
    overseer = Supervisor([deaf], os.environ)
    overseer.start()
    await_that(lambda: "up" in deaf.log.read_text())
    process = deaf.process
    assert process is not None
    overseer.stop()
    assert process.returncode == -signal.SIGKILL


def test_keeps_its_ports(tmp_path: Path) -> None:
    first = choose_ports(tmp_path, {})
    assert choose_ports(tmp_path, {}) == first


def test_refuses_a_demanded_port_that_is_no_port(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="WEB_PORT"):
        choose_ports(tmp_path, {"WEB_PORT": "many"})
