"""`./scripts/test` says what happened, and its exit code says the same."""

import sys
from pathlib import Path

import pytest

from scripts.preparation import Prepared
from scripts.testing import Step, ending, names_path, pytest_step, run_steps


@pytest.fixture
def setup(tmp_path: Path) -> Prepared:
    return Prepared(state=tmp_path, python=Path(sys.executable), variables={})


def exits(name: str, code: int) -> Step:
    return Step(name, [sys.executable, "-c", f"raise SystemExit({code})"])


def test_all_must_pass(setup: Prepared) -> None:
    assert run_steps([exits("lint", 0), exits("tests", 0)], setup) == 0


def test_goes_on_after_a_failure_and_remembers_it(
    setup: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_steps([exits("lint", 1), exits("tests", 0)], setup) == 1
    printed = capsys.readouterr().out
    assert "failed with exit code 1" in printed
    assert "passed" in printed


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_no_way_for_pytest_to_end_badly_is_a_success(setup: Prepared, code: int) -> None:
    step = exits("tests", code)
    assert run_steps([step], setup) == code
    assert ending(step, code) != "passed"


def test_a_signal_is_a_failure(setup: Prepared) -> None:
    killed = Step("tests", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert run_steps([killed], setup) == 137


def test_the_whole_suite_runs_on_two_workers_without_slow_tests(setup: Prepared) -> None:
    command = pytest_step(setup=setup, slow=False, rest=[]).command
    assert command[command.index("-n") + 1] == "2"
    assert "not slow" in command


def test_a_part_runs_in_one_process(setup: Prepared) -> None:
    command = pytest_step(setup=setup, slow=True, rest=["tests/scripts::x", "-x"]).command
    assert "-n" not in command
    assert "not slow" not in command


def test_an_options_value_is_not_taken_for_a_path() -> None:
    assert not names_path(["-k", "payment", "--maxfail=1"])
    assert names_path(["tests/scripts/test_lock.py::test_names_no_index"])
