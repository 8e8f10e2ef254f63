"""PostgreSQL and Valkey of the rounds' own, which may be killed without disturbing anybody."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from scripts.embedded import Servers, secret_key
from scripts.state import locked_if_free, state_folder

_AT_ONCE = 8


@contextlib.contextmanager
def own_servers() -> Iterator[Servers]:
    """Run a pair of servers that no other process uses; their folder is kept for the next time.

    :raises ScriptError: they do not start.
    """
    with contextlib.ExitStack() as stack:
        home = next(filter(None, (_claimed(number, stack) for number in range(_AT_ONCE))), None)
        assert home is not None, "so many storms at once were not foreseen"
        servers = Servers(state_folder(), home=home)
        servers.stop()
        start(servers)
        try:
            yield servers
        finally:
            servers.stop()


def _claimed(number: int, stack: contextlib.ExitStack) -> Path | None:
    """The folder of this number, unless somebody else has it."""
    home = state_folder() / "storms" / str(number)
    home.mkdir(parents=True, exist_ok=True)
    return home if stack.enter_context(locked_if_free(home / "taken.lock")) else None


def start(servers: Servers) -> None:
    """Start what does not run. A kill may leave half of a server behind: then it is tried again."""
    for attempt in range(5):
        try:
            servers.start()
        except Exception:
            if attempt == 4:
                raise
            time.sleep(0.5)
        else:
            return


def forget(servers: Servers) -> None:
    """End the servers and remove what they kept."""
    servers.stop()
    shutil.rmtree(servers.home, ignore_errors=True)


def addresses(servers: Servers) -> dict[str, str]:
    """The variables of a process that works with these servers."""
    state = state_folder()
    return {
        "STATE_DIR": str(state),
        "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(state),
        "DATABASE_URL": servers.postgres.url(user="kontor_app"),
        "DATABASE_OWNER_URL": servers.postgres.url(user="kontor_owner"),
        "REDIS_URL": servers.valkey.url(),
    }


def kill_postgres(pid: int) -> None:
    """As when the machine's memory is used up: the server and all its processes, at once."""
    children = _children_of(pid)
    for number in (pid, *children):
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)


def _children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                # The name in brackets may hold anything, spaces too; the parent comes behind it.
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                    found.append(int(entry.name))
    return found
