"""Starting servers with as few rights as they need, and telling ours from a stranger's."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
PR_CAPBSET_READ = 23
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
NO_SETUID_FIXUP = 1 << 2
CAPABILITY_VERSION = 0x20080522
BIGGEST_LOG = 20_000_000
LOOPBACK = "127.0.0.1"
QUIET_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/", "TZ": "UTC"}

_libc = ctypes.CDLL(None, use_errno=True)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


class _CapabilityData(ctypes.Structure):
    _fields_ = [
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    ]


class Terminated(KeyboardInterrupt):
    """SIGTERM came: end as cleanly as on Ctrl-C, which the terminal tells our children too."""


def heed_termination() -> None:
    """Turn SIGTERM into an exception, so that what was started is ended."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    signal.signal(signal.SIGTERM, end)


def open_log(path: Path) -> IO[bytes]:
    """Open a log to append to; one that has grown big is put aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > BIGGEST_LOG:
        path.replace(path.with_suffix(".old.log"))
    return path.open("ab")


def is_root() -> bool:
    """Answer whether we run as root, where PostgreSQL refuses to."""
    return os.geteuid() == 0


def server_user() -> tuple[int, int]:
    """Answer the user and group id under which root starts servers."""
    try:
        found = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return found.pw_uid, found.pw_gid


def open_to_others(path: Path) -> bool:
    """Answer whether any user can walk down to the path."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def bounded(capability: int) -> bool:
    """Answer whether a child of ours may still hold the capability."""
    return bool(_libc.prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1)


def passing_capability() -> int | None:
    """Answer a capability that lets an ordinary user walk through closed folders, if any."""
    return next((cap for cap in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if bounded(cap)), None)


def drop_rights(capability: int | None) -> Callable[[], None]:
    """Answer what a child does between fork and exec: become an ordinary user.

    With a capability the child keeps just that one, so that it can pass folders closed to others.
    """
    user, group = server_user()

    def drop() -> None:
        if os.geteuid() != 0:
            return
        # Without this bit access(2) ignores the capability we are about to keep.
        if capability is not None and _libc.prctl(PR_SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0):
            os._exit(90)
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        if capability is None:
            return
        header = _CapabilityHeader(CAPABILITY_VERSION, 0)
        data = (_CapabilityData * 2)()
        data[0].effective = data[0].permitted = data[0].inheritable = 1 << capability
        if _libc.capset(ctypes.byref(header), ctypes.byref(data)):
            os._exit(91)
        if _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0):
            os._exit(92)

    return drop


def spawn(
    arguments: Sequence[object],
    *,
    capability: int | None = None,
    output: int | IO[bytes] = subprocess.PIPE,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a server of ours in a session of its own, without root's rights."""
    return subprocess.Popen(
        [str(argument) for argument in arguments],
        preexec_fn=drop_rights(capability) if is_root() else None,
        stdout=output,
        stderr=subprocess.STDOUT,
        stdin=stdin,
        start_new_session=True,
        cwd="/",
        env={**QUIET_ENVIRONMENT, **(environment or {})},
        pass_fds=tuple(pass_fds),
    )


def port_is_free(port: int) -> bool:
    """Answer whether nobody listens there; a closed connection's remains do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port(*preferred: int | None) -> int:
    """Answer the first preferred port that is free, or any free one."""
    for port in preferred:
        if port and port_is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Answer whether something accepts connections on the loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), 0.5).close()
    except OSError:
        return False
    return True


def command_line(pid: int) -> list[str]:
    """Answer the words of a process's command line; none where there is no such process."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").rstrip("\0").split("\0")


def is_ours(pid: int | None, *, program: str, mark: str) -> bool:
    """Answer whether the process is the very server we started.

    A number alone proves nothing: after a crash or a reboot it may be a stranger's. ``mark`` is
    something only our server has on its command line, its data folder or its address.
    """
    if not pid:
        return False
    words = command_line(pid)
    if not words:
        return False
    # Some servers rewrite their title into a single string, others keep their arguments; a folder
    # may hold spaces, so the mark is looked for in both shapes.
    first = words[0].split(" ")[0] if mark not in words else words[0]
    named = Path(first).name == program or f"/{program} " in f"{words[0]} "
    title = f" {words[0]} "
    return named and (mark in words or f" {mark} " in title)


def end(
    pid: int,
    *,
    program: str,
    mark: str,
    signals: Sequence[signal.Signals],
    patience: float = 15.0,
) -> bool:
    """Ask our server to end, ever more firmly; ``patience`` is seconds per signal."""
    for number in signals:
        if not is_ours(pid, program=program, mark=mark):
            return True
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and is_ours(pid, program=program, mark=mark):
            reap(pid)
            time.sleep(0.02)
    return not is_ours(pid, program=program, mark=mark)


def reap(pid: int) -> None:
    """Collect the process if it is our child and has ended; otherwise do nothing."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def tail(path: Path, *, characters: int = 1500) -> str:
    """Answer the end of a log, for a message that says why something did not start."""
    try:
        text: Any = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return str(text)[-characters:]
