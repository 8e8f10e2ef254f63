"""Runs the parts of the product side by side, starts a crashed one again, and ends them all."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from scripts.processes import open_log, tail
from scripts.state import PROJECT, ScriptError, say

PR_SET_PDEATHSIG = 1
# sysexits.h: the configuration is wrong. Starting again would change nothing.
EX_CONFIG = 78
STEADY_SECONDS = 30.0
LONGEST_PAUSE = 30.0
PATIENCE_AT_END = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(kw_only=True)
class Part:
    """One process to keep alive. ``healthy`` is asked while it runs; None: running is enough."""

    name: str
    command: Sequence[str]
    log: Path
    healthy: Callable[[], bool] | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    failures: int = 0
    next_start: float = 0.0
    was_healthy: bool = False
    unhealthy_since: float | None = None
    endings: list[int] = field(default_factory=list)


def pause_before_start(failures: int) -> float:
    """Answer the seconds to wait after so many failures in a row: 1, 2, 4 ... 30."""
    return min(LONGEST_PAUSE, 2.0 ** max(0, failures - 1))


class Supervisor:
    """Owns its children: by their own ids, each leading a process group of its own."""

    def __init__(self, parts: Sequence[Part], variables: Mapping[str, str]) -> None:
        self.parts = parts
        self.variables = dict(variables)
        self.stopping = False

    def obey_signals(self) -> None:
        """End cleanly on Ctrl-C, SIGTERM and a closed terminal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_soon)

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def start(self) -> None:
        """Start every part for the first time."""
        for part in self.parts:
            self._start(part)

    def tend(self) -> None:
        """Look after every part once; call it again and again."""
        moment = time.monotonic()
        for part in self.parts:
            if part.process is None:
                if moment >= part.next_start:
                    self._start(part)
                continue
            code = part.process.poll()
            if code is not None:
                self._bury(part, code)
            elif part.failures and moment - part.started_at > STEADY_SECONDS:
                part.failures = 0

    def all_healthy(self) -> bool:
        """Ask every part; a part that runs and has nothing to ask is healthy."""
        answers = [self.healthy(part) for part in self.parts]
        return all(answers)

    def healthy(self, part: Part) -> bool:
        """Ask one part, and tell when it comes up for the first time or again."""
        alive = part.process is not None and part.process.poll() is None
        fine = alive and (part.healthy is None or part.healthy())
        if fine and not part.was_healthy:
            say(f"{part.name} {'is up' if part.healthy else 'was started'}")
        part.was_healthy = fine
        return fine

    def restart_the_stuck(self, *, seconds: float = 60.0) -> None:
        """Start a part again that has run for so long without a healthy answer."""
        for part in self.parts:
            if part.healthy is None or part.process is None or self.healthy(part):
                part.unhealthy_since = None
                continue
            part.unhealthy_since = part.unhealthy_since or time.monotonic()
            if time.monotonic() - part.unhealthy_since > seconds:
                say(f"{part.name} does not answer; it is started again")
                part.unhealthy_since = None
                end_group(part.process, patience=PATIENCE_AT_END)

    def stop(self) -> None:
        """End all parts at once, the stubborn ones firmly."""
        self.stopping = True
        living = [p.process for p in self.parts if p.process and p.process.poll() is None]
        for process in living:
            process.terminate()
        deadline = time.monotonic() + PATIENCE_AT_END
        for process in living:
            end_group(process, patience=max(0.0, deadline - time.monotonic()), asked=True)
        for part in self.parts:
            part.process = None

    def _start(self, part: Part) -> None:
        with open_log(part.log) as output:
            part.process = subprocess.Popen(
                part.command,
                cwd=PROJECT,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_parent(os.getpid()),
            )
        part.started_at = time.monotonic()

    def _bury(self, part: Part, code: int) -> None:
        assert part.process is not None
        # Its own children, if it left any, would work on beside those of the next one.
        end_group(part.process, patience=0, asked=True)
        part.process = None
        part.was_healthy = False
        part.endings.append(code)
        part.failures += 1
        last = "\n    ".join(tail(part.log, characters=900).splitlines()[-8:])
        if code == EX_CONFIG:
            raise ScriptError(f"{part.name} refuses its settings:\n    {last}")
        pause = pause_before_start(part.failures)
        part.next_start = time.monotonic() + pause
        say(f"{part.name} ended (code {code}); again in {pause:.0f} s. Its log ends:\n    {last}")


def _end_with_parent(parent: int) -> Callable[[], None]:
    """Answer what a child does first: ask to be ended when its supervisor is gone, however."""

    def ask() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def end_group(process: subprocess.Popen[bytes], *, patience: float, asked: bool = False) -> None:
    """End a child that leads its own group: SIGTERM, and after ``patience`` seconds SIGKILL."""
    if not asked:
        process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=patience)
    # Also what the child itself left behind; the group bears the id we gave it at the start.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
