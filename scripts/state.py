"""The state folder: everything a checkout keeps outside version control lives in it.

Only the standard library is imported here: these modules run before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)


class ScriptError(Exception):
    """Something the person at the keyboard can mend; its text is all they need to see."""


def state_folder() -> Path:
    """Answer the state folder: ``STATE_DIR``, or ``.state`` in the checkout."""
    named = os.environ.get("STATE_DIR")
    return Path(named).expanduser().resolve() if named else PROJECT / ".state"


def require_python() -> None:
    """Refuse an interpreter that is too old, in one clear line.

    :raises ScriptError: the running interpreter is older than 3.11.
    """
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise ScriptError(f"Kontor needs Python 3.11 or newer; {sys.executable} is {found}.")


def read_json(path: Path) -> dict[str, Any]:
    """Answer the mapping stored at the path, or an empty one where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Replace the file at once, readable by its owner alone: it may hold passwords."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(dict(values), stream, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)


@contextlib.contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold the lock file; two processes that do the same work at once take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
