"""Set up and play rounds of faults: `./scripts/storm [--rounds 1000] [--seed N]`.

In each round real processes work with money while something is killed, flushed, doubled, or told
another time; then everything is asked again and read: see tests/faults/README.md. The rounds have
a PostgreSQL and a Valkey of their own. The last line is a JSON object; the exit code is 0 only if
every round held.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

from scripts import environment, processes
from scripts.embedded import secret_key
from scripts.preparation import child_variables
from scripts.state import PROJECT, ScriptError, say, state_folder

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(
        prog="./scripts/storm",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others count on")
    parser.add_argument("--step", type=int, default=1, help="to the next seed; 15 keeps the fault")
    parser.add_argument("--keep-going", action="store_true", help="also after a round that failed")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 1:
        parser.error("at least one round")
    processes.heed_termination()
    words = ["--rounds", str(chosen.rounds), "--seed", str(chosen.seed)]
    words += ["--step", str(chosen.step)]
    words += ["--keep-going"] if chosen.keep_going else []
    try:
        return _play(words)
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


def _play(words: list[str]) -> int:
    state = state_folder()
    if state.parent != PROJECT:
        say(f"the state folder is {state}")
    python = environment.ensure(development=True)
    variables = child_variables(state, {"STATE_DIR": str(state), "SECRET_KEY": secret_key(state)})
    # Servers that were given to us are somebody's; none of them is killed.
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"):
        variables.pop(name, None)
    child = subprocess.Popen(
        [str(python), "-m", "tests.faults", *words], cwd=PROJECT, env=variables
    )
    try:
        code = child.wait()
    except KeyboardInterrupt:
        # The rounds end what they started, whoever was told first.
        child.terminate()
        child.wait(timeout=60)
        return INTERRUPTED
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    raise SystemExit(main())
