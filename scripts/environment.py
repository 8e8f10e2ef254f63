"""The virtual environment of this checkout: made once, installed from the locks."""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.state import (
    PROJECT,
    ScriptError,
    locked,
    read_json,
    require_python,
    say,
    state_folder,
    write_json,
)

LOCK = PROJECT / "requirements.txt"
DEVELOPMENT_LOCK = PROJECT / "scripts" / "requirements-development.txt"
# Where pip is told about an index, uv is told the same; it does not read pip's settings itself.
PIP_AND_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}


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


def fingerprint(lock: Path) -> str:
    """Answer a hash of the interpreter's version and the lock."""
    digest = hashlib.sha256(".".join(map(str, sys.version_info[:2])).encode())
    digest.update(lock.read_bytes())
    return digest.hexdigest()


def ensure(*, development: bool = False) -> Path:
    """Make the virtual environment and install the locks, unless that is done already.

    :returns: the interpreter of the environment.
    :raises ScriptError: the interpreter is too old, or neither uv nor pip could install.
    """
    require_python()
    state = state_folder()
    wanted = {"product": LOCK, **({"development": DEVELOPMENT_LOCK} if development else {})}
    mark = venv(state) / "installed.json"
    with locked(state / "environment.lock"):
        known = read_json(mark)
        missing = {
            name: lock for name, lock in wanted.items() if known.get(name) != fingerprint(lock)
        }
        if not missing and _works(state):
            return python(state)
        _make(state)
        _install(state, list(missing.values() or wanted.values()))
        known.update({name: fingerprint(lock) for name, lock in wanted.items()})
        write_json(mark, known)
    return python(state)


def _works(state: Path) -> bool:
    """A link to an interpreter that was since removed, or an older one, does not count."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    return python(state).exists() and (venv(state) / "lib" / version).is_dir()


def _make(state: Path) -> None:
    if _works(state):
        return
    say("making the virtual environment")
    target = str(venv(state))
    attempts = [[sys.executable, "-m", "venv", "--clear", target]]
    # Some systems keep the part of venv that brings pip in a package of its own.
    if uv := shutil.which("uv"):
        attempts.append([uv, "venv", "--clear", "--python", sys.executable, target])
    attempts.append([sys.executable, "-m", "venv", "--clear", "--without-pip", target])
    problem = _first_that_works(attempts, os.environ)
    if problem is not None:
        raise ScriptError(f"The virtual environment could not be made:\n{problem}")


def _install(state: Path, locks: list[Path]) -> None:
    say(f"installing from {', '.join(lock.name for lock in locks)} (the first time takes a while)")
    files = [word for lock in locks for word in ("-r", str(lock))]
    inside = str(python(state))
    attempts = []
    own = venv(state) / "bin" / "uv"
    uv = shutil.which("uv") or (str(own) if own.exists() else None)
    if uv:
        attempts.append(
            [uv, "pip", "install", "-q", "--require-hashes", "--python", inside, *files]
        )
    pip = ["-m", "pip", "--disable-pip-version-check"]
    install = ["install", "-q", "--no-cache-dir", "--require-hashes", *files]
    if any(site_packages(state).glob("pip-*")):
        attempts.append([inside, *pip, *install])
    else:
        attempts.append([sys.executable, *pip, "--python", inside, *install])
    variables = {**os.environ, "UV_CACHE_DIR": str(state / "cache" / "uv"), **_uv_settings()}
    problem = _first_that_works(attempts, variables)
    if problem is not None:
        hint = "" if uv else "\n(On Debian, `apt install python3-venv` brings what may be missing.)"
        raise ScriptError(f"The packages could not be installed:\n{problem}{hint}")


def _first_that_works(
    attempts: Sequence[Sequence[str]], variables: os._Environ[str] | dict[str, str]
) -> str | None:
    """Answer None once an attempt succeeds, otherwise what the last one said."""
    problem = ""
    for attempt in attempts:
        try:
            done = subprocess.run(
                attempt, capture_output=True, text=True, check=False, env=dict(variables)
            )
        except OSError as error:
            problem = str(error)
            continue
        if not done.returncode:
            return None
        problem = (done.stderr or done.stdout).strip()
    return problem


def _uv_settings() -> dict[str, str]:
    """Answer pip's own settings, from its files and variables, as uv's variables."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    settings = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_LINK_MODE": "copy"}
    for line in asked.stdout.splitlines():
        name, _, value = line.partition("=")
        target = PIP_AND_UV.get(name.rsplit(".", 1)[-1])
        words = shlex.split(value)
        if target and words and target not in os.environ:
            # Several addresses stand in one value, separated by white space.
            separator = "," if target == "UV_FIND_LINKS" else " "
            settings[target] = separator.join(words[0].split())
    return settings


if __name__ == "__main__":
    try:
        print(ensure(development="--development" in sys.argv))
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        raise SystemExit(1) from None
