"""The state folder: everything a checkout keeps outside version control lives in it.

Only the standard library is imported here: these modules run before anything is installed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts import processes

PROJECT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)


# Children count on from the moment the first of us started.
_started = float(os.environ.setdefault("KONTOR_STARTED_AT", str(time.monotonic())))


class ScriptError(Exception):
    """Something the person at the keyboard can mend; its text is all they need to see."""


def say(text: str) -> None:
    """Tell the person at the keyboard what is being done, and since how many seconds."""
    print(f"[{time.monotonic() - _started:6.1f} s] {text}", file=sys.stderr, flush=True)


def settings_given() -> dict[str, str]:
    """Answer the settings that were given: those of the file .env, beneath the environment's."""
    try:
        text = (PROJECT / ".env").read_text(encoding="utf-8")
    except OSError:
        text = ""
    return {**parse_settings(text), **os.environ}


def parse_settings(text: str) -> dict[str, str]:
    """Answer the settings in the text of a .env file.

    Lines are ``NAME=value``, with ``export`` before and quotes around the value if one likes.
    """
    found = {}
    for line in text.splitlines():
        name, separator, value = line.strip().removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not separator or not name.isidentifier():
            continue
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name] = value
    return found


def state_folder() -> Path:
    """Answer the state folder: ``STATE_DIR``, or ``.state`` in the checkout.

    :raises ScriptError: it cannot be made or written.
    """
    named = settings_given().get("STATE_DIR")
    folder = Path(named).expanduser().resolve() if named else _usual_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ScriptError(f"The state folder {folder} cannot be made ({error.strerror}).") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ScriptError(f"The state folder {folder} cannot be written; STATE_DIR names another.")
    return folder


def _usual_folder() -> Path:
    """In the checkout, unless no server could live there.

    PostgreSQL refuses to run as root, and the ordinary user it then becomes must be able to walk
    into its folder: by the folders' own modes, or by a capability where one may be kept.
    """
    usual = PROJECT / ".state"
    if not processes.is_root() or processes.open_to_others(usual):
        return usual
    if processes.passing_capability() is not None:
        return usual
    mark = hashlib.sha256(str(PROJECT).encode()).hexdigest()[:12]
    return Path("/var/lib") / f"kontor-{mark}"


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


@contextlib.contextmanager
def locked_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock file if nobody does; the value says whether it is held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
