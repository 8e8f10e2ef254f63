"""Plays rounds: `python -m tests.faults --rounds 20 --seed 1`. `./scripts/storm` calls it.

The last line is a JSON object. The exit code is 0 only if every round held.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from scripts import processes
from scripts.embedded import Servers
from scripts.state import ScriptError, say
from tests.faults.plans import plan_of
from tests.faults.servers import addresses, own_servers

# A round that is stuck is a finding, and must not keep the others.
LONGEST_ROUND = 240
# Of a failure that nobody foresaw, so that its cause is told and not only its place in the log.
TRACEBACK_LINES = 24


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(prog="./scripts/storm", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many (default 20)")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the next follow")
    parser.add_argument("--step", type=int, default=1, help="to the next seed; 15 keeps the fault")
    parser.add_argument("--keep-going", action="store_true", help="also after a round that failed")
    parser.add_argument("--json-lines", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    processes.heed_termination()
    try:
        with own_servers() as servers:
            return _play_all(chosen, servers)
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _play_all(chosen: argparse.Namespace, servers: Servers) -> int:
    os.environ |= addresses(servers)
    # One caller insists as often as it takes: the limit is not what is tried here.
    os.environ["API_RATE_LIMITS"] = '{"api": "100000000/minute"}'
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from tests.faults import stage

    say("setting the stage")
    template = stage.template()
    _load()
    played: list[dict[str, Any]] = []
    started = time.monotonic()
    for outcome in _outcomes(chosen, servers, template):
        played.append(outcome)
        _tell(outcome, chosen)
        if outcome["wrong"] and not chosen.keep_going:
            break
    failed = [outcome["seed"] for outcome in played if outcome["wrong"]]
    report = {
        "name": "storm",
        "rounds": len(played),
        "first_seed": chosen.seed,
        "failed_seeds": failed,
        "strikes": sum(outcome["struck"] for outcome in played),
        "strikes_planned": sum(outcome["strikes"] for outcome in played),
        "answers": sum(outcome["requests"] for outcome in played),
        "seconds": round(time.monotonic() - started, 1),
        "met": not failed and len(played) == chosen.rounds,
    }
    print(json.dumps(report), flush=True)
    return 0 if report["met"] else 1


def _load() -> None:
    """Load the whole product once; every process of every round is forked from here."""
    import django

    django.setup()
    from importlib import import_module

    for name in ("config.urls_tenant", "config.urls_public", "config.celery", "gunicorn.app.base"):
        import_module(name)
    from config.celery import app

    app.loader.import_default_modules()


def _outcomes(
    chosen: argparse.Namespace, servers: Servers, template: str
) -> Iterator[dict[str, Any]]:
    for number in range(chosen.rounds):
        seed = chosen.seed + number * chosen.step
        say(f"round {number + 1} of {chosen.rounds}, seed {seed}: {plan_of(seed)}")
        outcome = _in_a_process(seed, servers, template)
        log = servers.home / "round" / "log"
        outcome["wrong"] += unforeseen(log.read_text(errors="replace") if log.exists() else "")
        if outcome["wrong"]:
            # The same seed may fail in another way another time: each keeps its log.
            kept = servers.home / f"failed-{seed}-{time.strftime('%H%M%S')}.log"
            outcome["log"] = str(kept)
            with contextlib.suppress(OSError):
                shutil.copy(log, kept)
        yield outcome
        servers.start()


def unforeseen(log: str) -> list[str]:
    """What the web's log tells of answers 500, with the end of each traceback.

    Also of those that reached nobody, because the caller's connection broke.
    """
    entries = re.split(r"^(?=\d{4}-\d\d-\d\dT[\d:.]+Z |--- )", log, flags=re.MULTILINE)
    return [
        "the web did not foresee: " + "\n".join([head, *lines[-TRACEBACK_LINES:]])
        for head, *lines in (entry.rstrip().split("\n") for entry in entries)
        if "status_code=500" in head
    ]


def _in_a_process(seed: int, servers: Servers, template: str) -> dict[str, Any]:
    """Play the round where it can leave nothing behind; a round that dies has failed."""
    from tests.faults.parts import fork
    from tests.faults.rounds import Outcome, play

    folder = servers.home / "round"
    answer = servers.home / "outcome.json"
    answer.unlink(missing_ok=True)
    log = servers.home / "round.log"
    log.write_text("")

    def act() -> None:
        signal.alarm(LONGEST_ROUND)
        outcome = play(seed, servers=servers, template=template, folder=folder)
        answer.write_text(json.dumps(asdict(outcome)))

    pid = fork(act, log=log, death_signal=signal.SIGTERM)
    try:
        os.waitpid(pid, 0)
    except BaseException:
        os.killpg(pid, signal.SIGKILL)
        raise
    if answer.exists():
        found: dict[str, Any] = json.loads(answer.read_text())
        return found
    ended = Outcome(seed=seed, plan=str(plan_of(seed)))
    ended.wrong = [f"the round broke down:\n{log.read_text()[-3000:]}"]
    return asdict(ended)


def _tell(outcome: dict[str, Any], chosen: argparse.Namespace) -> None:
    if chosen.json_lines:
        print(json.dumps(outcome), flush=True)
    if not outcome["wrong"]:
        say(
            f"  holds: {outcome['done']} acts done, {outcome['struck']} of {outcome['strikes']}"
            f" strikes, {outcome['disturbances']} disturbances, {outcome['seconds']:.1f} s"
        )
        return
    print(f"seed {outcome['seed']} FAILED: {outcome['plan']}", file=sys.stderr)
    for sentence in outcome["wrong"]:
        print(f"  - {sentence}", file=sys.stderr)
    print(f"what the processes said: {outcome['log']}", file=sys.stderr)
    print(f"again: ./scripts/storm --rounds 1 --seed {outcome['seed']}", file=sys.stderr)


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None
