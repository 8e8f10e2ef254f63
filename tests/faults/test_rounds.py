"""Twenty rounds in which something breaks; every seed is a test. `./scripts/storm` plays more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import ROOT
from tests.faults.plans import FAULTS, LASTING, POINTS, plan_of

# In a row, so that every fault has its turn.
FIRST, ROUNDS = 1, 20
SEEDS = range(FIRST, FIRST + ROUNDS)
GIVEN = {"DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "PYTEST_XDIST_WORKER"}


class Storm:
    """One process plays all rounds, on servers of its own; each test takes its round's outcome."""

    def __init__(self, log: Path) -> None:
        self.log = log
        variables = {name: value for name, value in os.environ.items() if name not in GIVEN}
        words = ["--rounds", str(ROUNDS), "--seed", str(FIRST), "--keep-going", "--json-lines"]
        with log.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults", *words],
                cwd=ROOT,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self.known: dict[int, dict[str, Any]] = {}

    def outcome(self, seed: int) -> dict[str, Any]:
        assert self.process.stdout
        while seed not in self.known:
            line = self.process.stdout.readline()
            assert line, f"the rounds ended before their time:\n{self.log.read_text()[-3000:]}"
            found = json.loads(line)
            self.known[found["seed"]] = found
        return self.known[seed]

    def end(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storm]:
    playing = Storm(tmp_path_factory.mktemp("storm") / "log")
    yield playing
    playing.end()


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_strikes_every_key_has_one_answer_and_the_books_hold(
    storm: Storm, seed: int
) -> None:
    outcome = storm.outcome(seed)
    again = f"again: ./scripts/storm --rounds 1 --seed {seed}"
    said = f"what the processes said: {outcome.get('log')}"
    assert outcome["wrong"] == [], f"{outcome['plan']}\n{again}\n{said}"
    # A round in which nothing struck, or nothing was done, shows nothing.
    assert outcome["struck"] == outcome["strikes"], outcome["plan"]
    assert outcome["done"] > 30


def test_twenty_seeds_have_every_fault_and_each_part() -> None:
    plans = [plan_of(seed) for seed in SEEDS]
    struck = {strike.fault for plan in plans for strike in plan.strikes}
    lasted = {fault for plan in plans for fault in plan.lasting}
    assert struck | lasted == set(FAULTS)
    assert lasted == set(LASTING)
    assert {strike.part for plan in plans for strike in plan.strikes} == set(POINTS)


def test_a_seed_gives_the_same_round_each_time() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(8)


def test_a_failure_that_nobody_foresaw_is_told_with_its_cause() -> None:
    from tests.faults.__main__ import unforeseen

    log = """2026-11-20T12:00:00.000001Z [warning  ] charge_unknown  [delivering] error=TimedOut
2026-11-20T12:00:01.000001Z [error    ] Something went wrong.: /api/v1/charge-sales/ status_code=500
Traceback (most recent call last):
  File "sales.py", line 1, in place
TypeError: this is the cause
--- web ended with status 9
2026-11-20T12:00:02.000001Z [error    ] Service unavailable: /api/v1/deals/ status_code=503
Traceback (most recent call last):
OperationalError: foreseen
"""
    (told,) = unforeseen(log)
    assert "/api/v1/charge-sales/" in told
    assert told.endswith("TypeError: this is the cause")
    assert unforeseen("") == []


def test_points_lie_in_functions_that_there_are() -> None:
    from tests.faults.points import PLACES, STRIKES, find

    for places in PLACES.values():
        assert all(callable(find(place)[2]) for place in places)
    assert {point for points in POINTS.values() for point in points} == set(PLACES)
    assert set(STRIKES) == set(FAULTS) - set(LASTING)
