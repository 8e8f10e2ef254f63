"""Write the locks from pyproject.toml: every version and hash, and no word about any index."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib

from scripts import environment
from scripts.state import PROJECT, ScriptError, say, state_folder

# The oldest Python we run on, and whatever platform: the lock is one for all of them.
OPTIONS = (
    "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header",
    "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "-q",
)  # fmt: skip
HEADER = "# Written by scripts/lock from pyproject.toml. Do not edit.\n"


def compile_lock(requirements: list[str], *, constraint: str | None = None) -> str:
    """Answer the lock of the requirements.

    :raises ScriptError: uv is missing or finds no solution.
    """
    uv = environment.venv(state_folder()) / "bin" / "uv"
    narrowed = ["-c", constraint] if constraint else []
    done = subprocess.run(
        [str(uv) if uv.exists() else "uv", "pip", "compile", "-", *OPTIONS, *narrowed],
        input="\n".join(requirements),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "UV_CACHE_DIR": str(state_folder() / "cache" / "uv")},
    )
    if done.returncode:
        raise ScriptError(f"uv could not make the lock:\n{done.stderr}")
    return HEADER + done.stdout


def main() -> int:
    """Write both locks; answer the exit code."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    try:
        say("locking the product")
        environment.LOCK.write_text(compile_lock(project["dependencies"]), encoding="utf-8")
        say("locking the development tools")
        development = [*project["optional-dependencies"]["development"], "uv"]
        environment.DEVELOPMENT_LOCK.write_text(
            compile_lock(development, constraint=environment.LOCK.name), encoding="utf-8"
        )
    except (ScriptError, FileNotFoundError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
