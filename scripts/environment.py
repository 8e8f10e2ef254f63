"""The virtual environment of this checkout: made once, installed from the locks."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.state import PROJECT, ScriptError, locked, require_python, state_folder

LOCK = PROJECT / "requirements.txt"
DEVELOPMENT_LOCK = PROJECT / "scripts" / "requirements-development.txt"


def venv(state: Path) -> Path:
    """Answer the folder of the virtual environment."""
    return state / "venv"


def python(state: Path) -> Path:
    """Answer the interpreter that has everything installed."""
    return venv(state) / "bin" / "python"


def site_packages(state: Path) -> Path:
    """Answer where the installed packages lie.

    :raises ScriptError: there is no virtual environment.
    """
    found = sorted((venv(state) / "lib").glob("python3*/site-packages"))
    if not found:
        raise ScriptError(f"There is no virtual environment in {venv(state)}.")
    return found[-1]


def fingerprint(*locks: Path) -> str:
    """Answer a hash of the interpreter's version and the locks."""
    digest = hashlib.sha256(".".join(map(str, sys.version_info[:2])).encode())
    for lock in locks:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def ensure(*, development: bool = False) -> Path:
    """Make the virtual environment and install the locks, unless that is done already.

    :raises ScriptError: the interpreter is too old, or neither uv nor pip could install.
    """
    require_python()
    state = state_folder()
    state.mkdir(parents=True, exist_ok=True)
    locks = [lock for lock in (LOCK, DEVELOPMENT_LOCK) if lock.exists()]
    if not development:
        locks = locks[:1]
    mark = state / ("installed-development" if development else "installed")
    if not locks:
        return python(state)
    with locked(state / "environment.lock"):
        wanted = fingerprint(*locks)
        if python(state).exists() and mark.exists() and mark.read_text() == wanted:
            return python(state)
        _make(state)
        _install(state, locks)
        mark.write_text(wanted)
    return python(state)


def _make(state: Path) -> None:
    if python(state).exists():
        return
    print("Making the virtual environment ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "venv", str(venv(state))],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ScriptError(f"python -m venv failed:\n{done.stdout}{done.stderr}")


def _install(state: Path, locks: list[Path]) -> None:
    print("Installing the locked packages ...", file=sys.stderr, flush=True)
    files = [word for lock in locks for word in ("-r", str(lock))]
    uv = shutil.which("uv")
    attempts = []
    if uv:
        attempts.append([uv, "pip", "install", "--python", str(python(state)), *files])
    attempts.append([str(python(state)), "-m", "pip", "install", "-q", *files])
    problem = ""
    for attempt in attempts:
        done = subprocess.run(
            attempt,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "UV_CACHE_DIR": str(state / "cache" / "uv")},
        )
        if not done.returncode:
            return
        problem = done.stderr or done.stdout
    raise ScriptError(f"The packages could not be installed:\n{problem}")


if __name__ == "__main__":
    try:
        print(ensure(development="--development" in sys.argv))
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        raise SystemExit(1) from None
