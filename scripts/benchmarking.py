"""Measure one thing: `./scripts/bench NAME`. The last line is a JSON object.

It holds name, figures, goals and met. The exit code tells whether the measuring worked, not
whether the goals were met: that is in the object.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from scripts import processes
from scripts.preparation import prepared
from scripts.state import PROJECT, ScriptError

FOLDER = Path(__file__).resolve().parent / "benchmarks"
NOT_BENCHMARKS = {"__init__", "goals", "runner"}


def names() -> list[str]:
    """Answer the benchmarks there are: modules that say what they are about."""
    return sorted(
        path.stem
        for path in FOLDER.glob("*.py")
        if path.stem not in NOT_BENCHMARKS and "\nABOUT" in path.read_text(encoding="utf-8")
    )


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", choices=names(), metavar="NAME", help=", ".join(names()) or "none")
    name = parser.parse_args(arguments).name
    processes.heed_termination()
    try:
        with prepared(development=True) as setup:
            done = subprocess.run(
                [str(setup.python), "-m", "scripts.benchmarks.runner", name],
                cwd=PROJECT,
                env=setup.variables,
                check=False,
            )
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


if __name__ == "__main__":
    raise SystemExit(main())
