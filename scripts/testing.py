"""Set up and run the tests: `./scripts/test [--slow] [path ...]`, and what pytest understands."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from scripts import processes
from scripts.preparation import Prepared, prepared
from scripts.state import PROJECT, ScriptError, say

PACKAGES = ("config", "scripts", "shared_apps", "tenant_apps", "tenants")
WORKERS = "2"
INTERRUPTED = 130
PYTEST_ENDINGS = {
    0: "passed",
    1: "some tests failed",
    2: "interrupted",
    3: "pytest broke down",
    4: "pytest was called wrongly",
    5: "no test was run",
}


@dataclass(frozen=True)
class Step:
    """One thing that must hold, and the command that shows it."""

    name: str
    command: Sequence[str]
    # As its user would call it: with the servers of the product, not those of the tests.
    as_user: bool = False


def pytest_step(*, setup: Prepared, slow: bool, rest: Sequence[str]) -> Step:
    """Answer the step that runs the suite, or the part of it that was asked for."""
    command = [str(setup.python), "-m", "pytest"]
    if not slow:
        command += ["-m", "not slow"]
    # Options alone narrow the whole suite; a path is a part of it, where workers do not pay.
    if not names_path(rest):
        command += ["-n", WORKERS, "--dist", "loadscope"]
    return Step("tests", [*command, *rest])


def names_path(words: Sequence[str]) -> bool:
    """Answer whether a word is a path in this project."""
    return any((PROJECT / word.split("::")[0]).exists() for word in words if word[:1] != "-")


def quality_steps(setup: Prepared) -> list[Step]:
    """Answer lint, types, floors and migrations, each as a step."""
    python = str(setup.python)
    floors = "from importlinter.cli import lint_imports_command as c; c()"
    cache = str(setup.state / "cache" / "import-linter")
    return [
        Step("lint", [python, "-m", "ruff", "check", "."]),
        Step("format", [python, "-m", "ruff", "format", "--check", "."]),
        Step("types", [python, "-m", "mypy", *PACKAGES]),
        Step("floors", [python, "-c", floors, "--cache-dir", cache]),
        Step("migrations", [python, "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]


def run_step(step: Step, setup: Prepared) -> int:
    """Run the step on the screen; answer its exit code, 128 and more where a signal ended it."""
    say(f"{step.name} ...")
    variables = None if step.as_user else setup.variables
    child = subprocess.Popen(step.command, cwd=PROJECT, env=variables)
    try:
        code = child.wait()
    except KeyboardInterrupt as interruption:
        # On Ctrl-C the terminal told the child too. It deserves a moment to tidy up.
        if isinstance(interruption, processes.Terminated):
            child.send_signal(signal.SIGINT)
        try:
            child.wait(timeout=30)
        except subprocess.TimeoutExpired:
            child.kill()
        return INTERRUPTED
    return code if code >= 0 else 128 - code


def ending(step: Step, code: int) -> str:
    """Answer in words how a step ended."""
    if step.name == "tests" and code in PYTEST_ENDINGS:
        return PYTEST_ENDINGS[code]
    return "passed" if code == 0 else f"failed with exit code {code}"


def run_steps(steps: Sequence[Step], setup: Prepared) -> int:
    """Run every step, also after a failed one; answer 0 only if all passed."""
    results: list[tuple[Step, int, float]] = []
    for step in steps:
        started = time.monotonic()
        code = run_step(step, setup)
        results.append((step, code, time.monotonic() - started))
        if code == INTERRUPTED or (step.name == "tests" and code == 2):
            break
    if len(steps) > 1:
        print()
        for step, code, seconds in results:
            print(f"{step.name:<12} {seconds:7.1f} s  {ending(step, code)}")
    elif results[0][1] == 5:
        print("no test was run: wrong name, or only slow tests there (use --slow)", file=sys.stderr)
    return next((code for _, code, _ in results if code), 0)


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(prog="./scripts/test", description=__doc__)
    parser.add_argument("--slow", action="store_true", help="slow tests, lint, types and --check")
    chosen, rest = parser.parse_known_args(arguments)
    processes.heed_termination()
    try:
        with prepared(development=True, for_tests=True) as setup:
            tests = pytest_step(setup=setup, slow=chosen.slow, rest=rest)
            steps = [tests]
            if chosen.slow and not rest:
                check = Step("check", [str(PROJECT / "scripts" / "run"), "--check"], as_user=True)
                steps = [*quality_steps(setup), tests, check]
            return run_steps(steps, setup)
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    raise SystemExit(main())
