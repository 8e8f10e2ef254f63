"""Run the whole product here: `./scripts/run`, or `./scripts/run --check` to try it once."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts import environment, processes, serving
from scripts.preparation import DEMO_WANTED, EX_DEMO_MISSING, Prepared, prepared
from scripts.state import (
    PROJECT,
    ScriptError,
    locked_if_free,
    read_json,
    say,
    settings_given,
    state_folder,
    write_json,
)
from scripts.supervisor import Part, Supervisor

USUAL_WEB_PORT = 8000
SIMULATED_CHARGES = (
    "simulator://?seed=7&refused=4&lost_requests=2&lost_answers=2&late=3&doubled=2&delay=150"
)
ALIVE = "/api/health/"
READY = "/api/health/ready/"
SECONDS_TO_READY = 180.0
STARTS_BEFORE_GIVING_UP = 4
SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_QUESTIONS = 10.0


def choose_ports(state: Path, given: dict[str, str]) -> dict[str, int]:
    """Answer the ports of web and sockets: the same as last time where they are still free.

    :raises ScriptError: WEB_PORT names a port that is taken.
    """
    path = state / "ports.json"
    known = read_json(path)
    demanded = given.get("WEB_PORT")
    if demanded:
        if not demanded.isdigit() or not processes.port_is_free(int(demanded)):
            raise ScriptError(f"WEB_PORT is {demanded}, which is not a free port.")
        web = int(demanded)
    else:
        web = processes.free_port(known.get("web"), USUAL_WEB_PORT)
    sockets = processes.free_port(known.get("sockets"))
    ports = {"web": web, "sockets": sockets}
    write_json(path, ports)
    return ports


def prepare_data(setup: Prepared) -> None:
    """Migrate, fill the pool, collect what browsers fetch, and invent the demo once.

    :raises ScriptError: a step failed; what it printed is on the screen.
    """
    static = setup.state / "static.json"
    current = {"static": static_fingerprint()}
    collecting = None
    if read_json(static) != current or not (setup.state / "static").is_dir():
        collecting = _begin(["collectstatic"], setup, setup.variables)
    owner = {**setup.variables, "DATABASE_LOGIN": "owner"}
    steps = ["migrate_fleet", "fill_spare_schemas", DEMO_WANTED]
    code = _end(_begin(steps, setup, owner))
    if collecting is not None:
        _insist(_end(collecting), "collecting static files")
        write_json(static, current)
    if code == EX_DEMO_MISSING:
        code = _end(_begin(["seed_demo_data"], setup, setup.variables))
        _insist(code, "inventing the demo organization")
    _insist(code, "preparing the database")


def static_fingerprint() -> str:
    """Answer a hash of what static files are collected from: packages, and our own files."""
    digest = hashlib.sha256(environment.LOCK.read_bytes())
    for path in sorted(PROJECT.glob("*/*/static/**/*")):
        if path.is_file():
            digest.update(f"{path}{path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def _begin(names: list[str], setup: Prepared, variables: dict[str, str]) -> subprocess.Popen[bytes]:
    line = [str(setup.python), "-m", "scripts.commands", *names]
    return subprocess.Popen(line, cwd=PROJECT, env=variables)


def _end(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise


def _insist(code: int, doing: str) -> None:
    if code:
        raise ScriptError(f"{doing} failed (see above).")


def parts_of(setup: Prepared, ports: dict[str, int]) -> list[Part]:
    """Answer the four parts, each with its log and how it is asked for its health."""
    questions: dict[str, Callable[[], bool]] = {
        "web": lambda: ask(ports["web"], READY)[0] == 200,
        "sockets": lambda: ask(ports["sockets"], ALIVE)[0] == 200,
    }
    return [
        Part(
            name=name,
            command=serving.command(
                name,
                python=str(setup.python),
                host=processes.LOOPBACK,
                port=ports.get(name, 0),
                settings=setup.variables,
            ),
            log=setup.state / "log" / f"{name}.log",
            healthy=questions.get(name),
        )
        for name in serving.PARTS
    ]


def ask(port: int, path: str) -> tuple[int, str]:
    """Answer the status and text of a health page; status 0 where nobody answers."""
    connection = http.client.HTTPConnection(processes.LOOPBACK, port, timeout=8)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.read(4000).decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def await_ready(supervisor: Supervisor, ports: dict[str, int]) -> bool:
    """Wait until all parts are healthy; answer False when we were told to stop meanwhile.

    :raises ScriptError: a part ends again and again, or it took too long.
    """
    deadline = time.monotonic() + SECONDS_TO_READY
    while not supervisor.stopping:
        supervisor.tend()
        if supervisor.all_healthy():
            return True
        hopeless = [part for part in supervisor.parts if part.failures >= STARTS_BEFORE_GIVING_UP]
        if hopeless:
            raise ScriptError(f"{hopeless[0].name} does not start; see {hopeless[0].log}")
        if time.monotonic() > deadline:
            status, text = ask(ports["web"], READY)
            down = [part.name for part in supervisor.parts if not part.was_healthy]
            raise ScriptError(f"not healthy: {', '.join(down)}. {READY} says {status}: {text}")
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return False


def addresses(state: Path, ports: dict[str, int]) -> str:
    """Answer what to open and whom to log in as."""
    web = ports["web"]
    lines = [
        "",
        "Kontor runs. Ctrl-C ends it.",
        f"  Sign-up, console   http://localhost:{web}/",
        f"  Demo organization  http://demo.localhost:{web}/",
        f"  API documents      http://demo.localhost:{web}/swagger/",
        f"  Sockets            ws://demo.localhost:{ports['sockets']}/",
        f"  Logs, mail, files  {state}",
    ]
    logins = demo_logins(state)
    if logins:
        lines += ["", f"  {'role':<14} {'e-mail':<34} {'password':<24} TOTP secret"]
    for login in logins:
        lines.append(
            f"  {login.get('role', ''):<14} {login.get('email', ''):<34} "
            f"{login.get('password', ''):<24} {login.get('totp_secret') or '-'}"
        )
    return "\n".join([*lines, ""])


def demo_logins(state: Path) -> list[dict[str, Any]]:
    """Answer the demo's logins, as seed_demo_data wrote them down."""
    try:
        found = json.loads((state / "demo.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    logins = found.get("logins", []) if isinstance(found, dict) else found
    return [login for login in logins if isinstance(login, dict)]


def run_check(setup: Prepared, ports: dict[str, int]) -> int:
    """Do the main job once through HTTP; answer the exit code."""
    say("doing the main job once, as each role")
    done = subprocess.run(
        [
            str(setup.python), "-m", "scripts.check",
            "--web-port", str(ports["web"]), "--sockets-port", str(ports["sockets"]),
        ],
        cwd=PROJECT,
        env=setup.variables,
        check=False,
    )  # fmt: skip
    return done.returncode


def stay(supervisor: Supervisor) -> None:
    """Look after the parts until we are told to stop."""
    next_question = time.monotonic() + SECONDS_BETWEEN_QUESTIONS
    while not supervisor.stopping:
        supervisor.tend()
        if time.monotonic() > next_question:
            supervisor.restart_the_stuck()
            next_question = time.monotonic() + SECONDS_BETWEEN_QUESTIONS
        time.sleep(SECONDS_BETWEEN_LOOKS)


def serve(setup: Prepared, *, check: bool) -> int:
    """Run everything; answer the exit code.

    :raises ScriptError: something does not come up.
    """
    ports = choose_ports(setup.state, settings_given())
    # Links in mails and the socket's address name the ports that people reach us by.
    for name, port in (("PUBLIC_PORT", ports["web"]), ("SOCKET_PORT", ports["sockets"])):
        setup.variables[name] = setup.variables.get(name) or str(port)
    # Out of the box nobody's phone is charged; an empty setting means no provider at all.
    setup.variables.setdefault("CHARGE_PROVIDER_URL", SIMULATED_CHARGES)
    serving.make_room(setup.state)
    prepare_data(setup)
    supervisor = Supervisor(parts_of(setup, ports), setup.variables)
    supervisor.obey_signals()
    try:
        say("starting web, sockets, worker and scheduler")
        supervisor.start()
        if not await_ready(supervisor, ports):
            return 0
        if check:
            return run_check(setup, ports)
        print(addresses(setup.state, ports), flush=True)
        stay(supervisor)
        return 0
    finally:
        say("stopping")
        supervisor.stop()


def main(arguments: list[str] | None = None) -> int:
    """Obey the command line; answer the exit code."""
    parser = argparse.ArgumentParser(prog="./scripts/run", description=__doc__)
    parser.add_argument("--check", action="store_true", help="try it once and end")
    check = parser.parse_args(arguments).check
    processes.heed_termination()
    try:
        with locked_if_free(state_folder() / "run.lock") as alone, prepared() as setup:
            if alone:
                return serve(setup, check=check)
            ports = read_json(setup.state / "ports.json")
            if check and ports:
                return run_check(setup, ports)
            raise ScriptError(
                f"Kontor already runs on {setup.state} (http://localhost:{ports.get('web')}/). "
                "Another STATE_DIR runs another copy."
            )
    except ScriptError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    raise SystemExit(main())
