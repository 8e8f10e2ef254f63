"""A provider behind a socket for tests: the project's own, or one that misbehaves as told."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.simulated_provider import SimulatedProvider


@contextmanager
def provider_over_http(
    settings: Any, folder: Path, *, callback_seconds: float = 0.05, **faults: int
) -> Iterator[SimulatedProvider]:
    """The simulated provider, and Kontor's settings that name it."""
    query = "&".join(f"{name}={value}" for name, value in {"seed": 7, **faults}.items())
    with SimulatedProvider(
        folder=str(folder), faults=query, callback_seconds=callback_seconds
    ) as provider:
        settings.CHARGE_PROVIDER_URL = provider.url
        settings.CHARGE_PROVIDER_KEY = provider.key
        settings.CHARGE_CALLBACK_SECRETS = (provider.secret,)
        yield provider


def http_answer(
    status: int, body: bytes | str, *, kind: str = "application/json", more: str = ""
) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
    return f"{head}{more}\r\n".encode() + content


def _whole_request(line: socket.socket) -> bytes:
    """Head and body, which may come in two parts, or what came of them before the line ended."""
    request = b""
    while True:
        head, ended, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if ended and len(body) >= (int(length[1]) if length else 0):
            return request
        part = line.recv(65536)
        if not part:
            return request
        request += part


@contextmanager
def whoever_says(
    say: Callable[[socket.socket, bytes], None],
) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads a request and then does with the connection what it is told.

    Answers its port, and the requests that it read.
    """
    read: list[bytes] = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return
            with line:
                try:
                    request = _whole_request(line)
                    read.append(request)
                    say(line, request)
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1], read
    finally:
        # Whoever waits in accept is woken by that, and by close alone is not.
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
