"""Start the simulated provider with the packages of Kontor: `./scripts/charge_provider`."""

from __future__ import annotations

import subprocess
import sys

from scripts import environment
from scripts.embedded import secret_key
from scripts.preparation import child_variables
from scripts.state import PROJECT, ScriptError, state_folder

INTERRUPTED = 130


def main() -> int:
    """Run the provider; answer the exit code."""
    try:
        python = str(environment.ensure(development=False))
        state = state_folder()
        variables = child_variables(
            state, {"STATE_DIR": str(state), "SECRET_KEY": secret_key(state)}
        )
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    words = [python, "-m", "scripts.simulated_provider", *sys.argv[1:]]
    try:
        return subprocess.run(words, cwd=PROJECT, env=variables, check=False).returncode
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
