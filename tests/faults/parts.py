"""The product's processes in a round, and the keeper that starts again what dies.

Everything is forked from one process that has loaded the product: a part stands in a moment, and
what it runs is what production runs, gunicorn and Celery with their own masters and children.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from scripts.embedded import Servers
from tests.faults import desks
from tests.faults.plans import Plan
from tests.faults.points import Sky, arm, follow_the_sky
from tests.faults.servers import start

WEB_WORKERS, WEB_THREADS, TASK_WORKERS = 2, 4, 2
_PR_SET_PDEATHSIG = 1
_LOOKS_APART = 0.05
# How often the scheduler does what it does in production every ten seconds to five minutes.
SCHEDULE = {
    "outbox": 0.7,
    "mail": 1.2,
    "expired holds": 2.0,
    "credits to be counted": 0.9,
    "history of the books": 3.0,
    "invariants": 3.0,
    "seals": 2.0,
    "running charge sales": 0.8,
}

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(kw_only=True)
class Part:
    """One process group of the round."""

    name: str
    run: Callable[[], None]
    pid: int = 0
    next_start: float = 0.0
    is_done: bool = False
    deaths: int = 0


def parts_of(plan: Plan, sky: Sky, *, port: int) -> list[Part]:
    """What a round runs, beside the servers."""
    desks_of_plan = [
        Part(name=f"desk {n}", run=partial(desks.work, acts, sky.folder / f"desk-{n}"))
        for n, acts in enumerate(plan.desks)
    ]
    return [
        Part(name="web", run=partial(_web, port)),
        Part(name="worker", run=_worker),
        Part(name="scheduler", run=partial(_scheduler, sky)),
        *desks_of_plan,
    ]


def fork(work: Callable[[], None], *, log: Path, death_signal: int = signal.SIGKILL) -> int:
    """Run the work in a process group of its own, which ends with its parent; answer its pid."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() == parent:
            os.setsid()
            _write_to(log)
            work()
            code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _write_to(log: Path) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(handle, number)
    os.close(handle)


class Keeper:
    """Starts everything, and again what died; in a process with one thread, as forks need it.

    It ends with the pipe that it was given: then it ends its parts.
    """

    def __init__(self, plan: Plan, sky: Sky, servers: Servers, *, port: int) -> None:
        self.plan, self.sky, self.servers = plan, sky, servers
        self.parts = parts_of(plan, sky, port=port)
        self.has_ended = False
        self.server_next_start = 0.0

    def keep(self, orders: int) -> None:
        """Look after everybody until the pipe says to end."""
        os.set_blocking(orders, False)
        self._tell_pids()
        while not self._is_over(orders):
            self._collect()
            self._look_after_servers()
            for part in self.parts:
                if not part.pid and not part.is_done and time.monotonic() >= part.next_start:
                    self._start(part)
            time.sleep(_LOOKS_APART)
        self._end()

    def _is_over(self, orders: int) -> bool:
        try:
            return os.read(orders, 1) == b""
        except BlockingIOError:
            return False

    def _start(self, part: Part) -> None:
        def run() -> None:
            follow_the_sky(self.sky)
            arm(part.name.split()[0], self.plan, self.sky)
            part.run()

        connections.close_all()
        part.pid = fork(run, log=self.sky.folder / "log")
        if part.name == "scheduler":
            self.sky.scheduler_pid.value = part.pid

    def _collect(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for part in self.parts:
                if part.pid == pid:
                    self._bury(part, status)

    def _bury(self, part: Part, status: int) -> None:
        _kill_group(part.pid)
        part.pid = 0
        if part.name.startswith("desk") and os.WIFEXITED(status):
            # One that was not killed has come to its end, or to something that should not be.
            part.is_done = True
            end = "done" if os.WEXITSTATUS(status) == 0 else "broken"
            (self.sky.folder / f"{part.name} is {end}").touch()
            return
        part.deaths += 1
        part.next_start = time.monotonic() + min(self.sky.pause.value or 0.2, 2.0)
        with (self.sky.folder / "log").open("a") as log:
            log.write(f"--- {part.name} ended with status {status}\n")

    def _look_after_servers(self) -> None:
        """What was killed is down for the strike's time, and then started again."""
        if self.servers.postgres.is_running() and self.servers.valkey.is_running():
            self.server_next_start = 0.0
            return
        if not self.server_next_start:
            self.server_next_start = time.monotonic() + self.sky.pause.value
        if time.monotonic() >= self.server_next_start:
            start(self.servers)
            self._tell_pids()

    def _tell_pids(self) -> None:
        self.sky.postgres_pid.value = self.servers.postgres.pid() or 0
        self.sky.valkey_pid.value = int(self.servers.memory.get("valkey_pid") or 0)

    def _end(self) -> None:
        for part in self.parts:
            if part.pid:
                _kill_group(part.pid)
        deadline = time.monotonic() + 5
        while any(part.pid for part in self.parts) and time.monotonic() < deadline:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            for part in self.parts:
                if part.pid == pid:
                    part.pid = 0
            time.sleep(0.01)


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _web(port: int) -> None:
    from gunicorn.app.base import BaseApplication

    class Web(BaseApplication):
        def load_config(self) -> None:
            chosen: dict[str, Any] = {
                "bind": f"127.0.0.1:{port}",
                "worker_class": "gthread",
                "workers": WEB_WORKERS,
                "threads": WEB_THREADS,
                "loglevel": "warning",
                "control_socket_disable": True,
            }
            for name, value in chosen.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from django.core.wsgi import get_wsgi_application

            return get_wsgi_application()

    Web().run()


def _worker() -> None:
    from config.celery import app

    app.Worker(
        concurrency=TASK_WORKERS,
        pool="prefork",
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    ).start()


def _scheduler(sky: Sky) -> None:
    from config.celery import app

    wanted = {name: {**app.conf.beat_schedule[name]} for name in SCHEDULE}
    for name, seconds in SCHEDULE.items():
        wanted[name]["schedule"] = seconds
    app.conf.beat_schedule = wanted
    app.conf.broker_connection_retry_on_startup = settings.CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP
    app.Beat(
        schedule=str(sky.folder / f"schedule-{os.getpid()}"), loglevel="WARNING", quiet=True
    ).run()
