"""The embedded Valkey: cache, task queue and socket layer, with nothing worth keeping."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts import processes
from scripts.state import ScriptError


@dataclass
class Valkey:
    """One server in its folder; ``memory`` is runtime.json, which ``remember`` writes."""

    folder: Path
    program: Path
    log: Path
    memory: dict[str, Any]
    remember: Callable[[], None]
    capability: int | None

    @property
    def mark(self) -> str:
        """What Valkey writes into its own title."""
        return f"{processes.LOOPBACK}:{self.memory.get('valkey_port')}"

    def is_running(self) -> bool:
        """Answer whether our own server runs."""
        return processes.is_ours(
            self.memory.get("valkey_pid"), program="valkey-server", mark=self.mark
        )

    def start(self) -> None:
        """Start the server, its password through a pipe.

        :raises ScriptError: it does not start; the end of its log says why.
        """
        if self.is_running():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if processes.is_root():
            os.chown(self.folder, *processes.server_user())
        self.memory.setdefault("valkey_password", secrets.token_urlsafe(24))
        for attempt in range(5):
            port = processes.free_port(self.memory.get("valkey_port") if not attempt else None)
            process = self._spawn(port)
            self.memory.update(valkey_port=port, valkey_pid=process.pid)
            self.remember()
            if self._await_ready(port, process):
                return
        raise ScriptError(f"Valkey does not start:\n{processes.tail(self.log)}")

    def stop(self) -> None:
        """End our server; another's is left alone."""
        pid = self.memory.get("valkey_pid")
        if pid:
            processes.end(
                int(pid),
                program="valkey-server",
                mark=self.mark,
                signals=(signal.SIGTERM, signal.SIGKILL),
            )

    def url(self) -> str:
        """Answer the address of the server's first database."""
        password = self.memory["valkey_password"]
        return f"redis://:{password}@{processes.LOOPBACK}:{self.memory['valkey_port']}/0"

    def _spawn(self, port: int) -> subprocess.Popen[bytes]:
        reader, writer = os.pipe()
        os.write(writer, f"requirepass {self.memory['valkey_password']}\n".encode())
        os.close(writer)
        with processes.open_log(self.log) as output, os.fdopen(reader, "rb") as configuration:
            return processes.spawn(
                [
                    self.program, "-", "--port", port, "--bind", processes.LOOPBACK,
                    "--dir", self.folder, "--save", "", "--appendonly", "no",
                    "--maxmemory-policy", "noeviction",
                ],
                capability=self.capability,
                output=output,
                stdin=configuration,
            )  # fmt: skip

    def _await_ready(self, port: int, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            mark = f"{processes.LOOPBACK}:{port}"
            ours = processes.is_ours(process.pid, program="valkey-server", mark=mark)
            if ours and processes.listens(port):
                return True
            time.sleep(0.05)
        return False
