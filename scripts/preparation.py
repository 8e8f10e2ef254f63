"""What every command does first: packages, servers, and the variables children run with."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts import embedded, environment
from scripts.state import PROJECT, say, settings_given, state_folder

# Asked between management commands, because a process of its own would cost seconds: does the demo
# organization exist? The exit code answers.
DEMO_WANTED = "demo?"
EX_DEMO_MISSING = 10


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Everything stands; ``variables`` is the whole environment of a child."""

    state: Path
    python: Path
    variables: dict[str, str] = field(repr=False)


@contextlib.contextmanager
def prepared(*, development: bool = False, for_tests: bool = False) -> Iterator[Prepared]:
    """Install what is missing and run the servers while the block runs.

    With ``for_tests`` they are the tests' own, which forget what they keep when they crash.

    :raises ScriptError: something cannot be installed or started.
    """
    state = state_folder()
    if state.parent != PROJECT:
        say(f"the state folder is {state}")
    python = environment.ensure(development=development)
    say("starting PostgreSQL and Valkey" if not embedded.given_servers() else "servers are given")
    with embedded.lease(for_tests=for_tests) as values:
        yield Prepared(state=state, python=python, variables=child_variables(state, values))


def child_variables(state: Path, values: dict[str, str]) -> dict[str, str]:
    """Answer the environment of a child: caches and state stay in the state folder."""
    cache = state / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    variables = {name: value for name, value in settings_given().items() if name != "PYTHONPATH"}
    path = [str(environment.venv(state) / "bin"), variables.get("PATH", "/usr/bin:/bin")]
    home = variables.get("HOME")
    return {
        **variables,
        **values,
        "PATH": os.pathsep.join(path),
        "VIRTUAL_ENV": str(environment.venv(state)),
        # Some tools insist on a home they can write to.
        "HOME": home if home and os.access(home, os.W_OK) else str(cache),
        "PYTHONPYCACHEPREFIX": str(cache / "python"),
        "PYTHONUNBUFFERED": "1",
        "RUFF_CACHE_DIR": str(cache / "ruff"),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "HYPOTHESIS_STORAGE_DIRECTORY": str(cache / "hypothesis"),
    }
