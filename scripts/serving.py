"""Become one part of the product: `python -m scripts.serving web|sockets|worker|scheduler`.

The same command lines serve a developer's machine, a container and a host such as Render.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.state import settings_given, state_folder

PARTS = ("web", "sockets", "worker", "scheduler")


def command(
    part: str, *, python: str, host: str, port: int, settings: Mapping[str, str]
) -> list[str]:
    """Answer the command line of a part; the port counts for web and sockets only.

    :raises KeyError: there is no such part.
    """
    workers = settings.get("WEB_WORKERS") or "2"
    threads = settings.get("WEB_THREADS") or "8"
    level = (settings.get("LOG_LEVEL") or "INFO").lower()
    lines = {
        "web": [
            "gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}",
            "--worker-class", "gthread", "--workers", workers, "--threads", threads,
            "--timeout", "60", "--graceful-timeout", "5", "--keep-alive", "15",
            "--log-level", level, "--no-control-socket",
        ],
        "sockets": [
            "uvicorn", "config.asgi:application", "--host", host, "--port", str(port),
            # Below a warning it logs addresses, and those hold one-use tickets.
            "--lifespan", "off", "--ws", "websockets", "--log-level", "warning",
            "--timeout-graceful-shutdown", "3", "--no-access-log",
        ],
        "worker": [
            "celery", "--app", "config.celery", "worker", "--pool", "prefork",
            "--loglevel", level, "--without-gossip", "--without-mingle",
        ],
        "scheduler": [
            "celery", "--app", "config.celery", "beat", "--loglevel", level, "--pidfile=",
        ],
    }  # fmt: skip
    return [python, "-m", *lines[part]]


def make_room(state: Path) -> None:
    """Make the folder in which the scheduler remembers what it sent when."""
    (state / "scheduler").mkdir(parents=True, exist_ok=True)


def main() -> int:
    """Replace this process by the part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    part = parser.parse_args().part
    given = settings_given()
    line = command(
        part,
        python=sys.executable,
        host=given.get("BIND_HOST") or "0.0.0.0",
        port=int(given.get("PORT") or 8000),
        settings=given,
    )
    make_room(state_folder())
    os.execv(line[0], line)


if __name__ == "__main__":
    raise SystemExit(main())
