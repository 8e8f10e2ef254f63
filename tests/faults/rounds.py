"""One round, top to bottom: everybody asks, something breaks, all is repaired, and then it is read.

Runs in a process of its own, which is forked from one that has loaded the product.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections

from scripts.embedded import Servers
from shared_apps.delivery.models import Mail
from shared_apps.kernel import clock
from shared_apps.outbox.models import OutboxMessage
from tenant_apps.wallets.models import ChargeSale
from tenant_apps.wallets.providers.registry import provider_for
from tenant_apps.wallets.providers.simulator import Simulator
from tenants.context import tenant_context
from tenants.selectors import organization_by_subdomain
from tests import databases
from tests.faults import stage as stages
from tests.faults.callers import HOST, Callers
from tests.faults.parts import Keeper, fork
from tests.faults.plans import Plan, plan_of
from tests.faults.points import Sky, follow_the_sky
from tests.faults.truths import Truths, standing

QUIET_WITHIN = 60.0
# The provider is asked ever more seldom; while all settles, hours pass in a moment.
_HASTE = 1800.0


@dataclass(kw_only=True)
class Outcome:
    """What became of a round. It holds when nothing is wrong."""

    seed: int
    plan: str
    struck: int = 0
    strikes: int = 0
    requests: int = 0
    done: int = 0
    disturbances: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)
    timings: dict[str, float] = field(default_factory=dict)


def play(seed: int, *, servers: Servers, template: str, folder: Path) -> Outcome:
    """Play the round of the seed on a database of its own."""
    started = time.monotonic()
    plan = plan_of(seed)
    outcome = Outcome(seed=seed, plan=str(plan), strikes=len(plan.strikes))
    with _prepared(plan, template, folder) as sky:
        _Round(plan, sky, servers, outcome).play()
    outcome.seconds = time.monotonic() - started
    return outcome


@contextlib.contextmanager
def _prepared(plan: Plan, template: str, folder: Path) -> Iterator[Sky]:
    """A database, a provider and a clock of the round's own; nothing of them stays."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    name = f"kontor_storm_{os.getpid()}"
    databases.clone(template, name)
    connection.close()
    connection.settings_dict["NAME"] = name
    settings.CHARGE_PROVIDER_URL = f"simulator://{folder}/charges?{plan.provider}"
    settings.STATE_DIR = folder
    random.seed(plan.seed)
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    sky = Sky(folder)
    follow_the_sky(sky)
    try:
        yield sky
    finally:
        connections.close_all()
        databases.drop(name)


class _Round:
    """What one round does, in the order in which it does it."""

    def __init__(self, plan: Plan, sky: Sky, servers: Servers, outcome: Outcome) -> None:
        self.plan, self.sky, self.servers, self.outcome = plan, sky, servers, outcome
        self.organization = organization_by_subdomain("acme")
        with tenant_context(self.organization):
            self.before = standing()
            self.stage = stages.read(self.organization)
        self.port = _free_port()
        self.callers = Callers(plan, self.stage, port=self.port, fresh_token=self._fresh_token)
        self._over = threading.Event()

    def play(self) -> None:
        """Everything; what is wrong is in the outcome."""
        connections.close_all()
        reader, orders = os.pipe()

        def keep() -> None:
            os.close(orders)
            Keeper(self.plan, self.sky, self.servers, port=self.port).keep(reader)

        keeper = fork(keep, log=self.sky.folder / "log")
        os.close(reader)
        try:
            self._timed("web", self._await_web)
            meddler = threading.Thread(target=self._meddle)
            meddler.start()
            self._timed("asking", self.callers.run)
            self._over.set()
            meddler.join()
            self._timed("desks", self._await_desks)
            self._timed("settling", self._settle)
            self._timed("asking again", partial(self.callers.run, again=True))
            self._timed("settling again", self._settle)
        finally:
            self._over.set()
            os.close(orders)
            os.waitpid(keeper, 0)
        self._servers_stand()
        self._timed("reading", self._read)

    def _timed(self, name: str, act: Callable[[], None]) -> None:
        started = time.monotonic()
        act()
        self.outcome.timings[name] = round(time.monotonic() - started, 2)

    def _await_web(self) -> None:
        _await(lambda: _answers(self.port), "the web", seconds=30)

    def _await_desks(self) -> None:
        count = len(self.plan.desks)
        _await(lambda: len(list(self.sky.folder.glob("desk * is *"))) == count, "desks", seconds=60)
        if list(self.sky.folder.glob("desk * is broken")):
            log = (self.sky.folder / "log").read_text()
            self.callers.wrong.append(f"a desk broke down:\n{log[-2000:]}")

    def _meddle(self) -> None:
        """While it lasts, news that was delivered is delivered again, and in another order."""
        if "news comes again" not in self.plan.lasting:
            return
        dice = random.Random(self.plan.seed)
        while not self._over.wait(0.4):
            with contextlib.suppress(DatabaseError, InterfaceError):
                self._deliver_again(dice)
        connection.close()

    def _deliver_again(self, dice: random.Random) -> None:
        with tenant_context(self.organization):
            known = list(OutboxMessage.objects.exclude(quiet=True).values_list("pk", flat=True))
            for pk in dice.sample(known, len(known) // 2):
                OutboxMessage.objects.filter(pk=pk).update(
                    relayed_at=None,
                    attempts=0,
                    next_attempt_at=clock.now() + dice.choice([0, 1, 2]) * _second(),
                )

    def _settle(self) -> None:
        """Let the janitors and relays finish: the clock makes haste until nothing waits."""
        deadline = time.monotonic() + QUIET_WITHIN
        waiting: Any = "nobody knows"
        while time.monotonic() < deadline:
            try:
                with tenant_context(self.organization):
                    waiting = _waiting()
            except (DatabaseError, InterfaceError) as problem:
                waiting = problem
                connection.close()
            if waiting == {}:
                return
            self.sky.turn_clock(_HASTE / 4)
            time.sleep(0.25)
        self.callers.wrong.append(f"it never became quiet: {waiting}")

    def _servers_stand(self) -> None:
        """Also where the last strike came at the very end."""
        from tests.faults.servers import start

        start(self.servers)
        connections.close_all()

    def _read(self) -> None:
        provider = provider_for(settings.CHARGE_PROVIDER_URL)
        assert isinstance(provider, Simulator)
        with tenant_context(self.organization):
            truths = Truths(self.plan, self.sky, self.callers, before=self.before)
            self.outcome.wrong = truths.read(provider)
        records = self.callers.records.values()
        self.outcome.requests = sum(len(record.answers) for record in records)
        self.outcome.done = sum(record.done is not None for record in records)
        self.outcome.disturbances = self.callers.disturbances
        self.outcome.struck = sum(map(self.sky.has_struck, self.plan.strikes))

    def _fresh_token(self, mail: str) -> str:
        """Sign in again; while the database is away, the old one stays."""
        from shared_apps.accounts.models import Session
        from shared_apps.accounts.tokens import token_pair

        try:
            with tenant_context(self.organization):
                session = Session.objects.filter(user__email=mail).latest("expires_at")
                return token_pair(session=session).access
        except (DatabaseError, InterfaceError):
            return self.stage.tokens[mail]
        finally:
            connection.close()


def _second() -> Any:
    from datetime import timedelta

    return timedelta(seconds=1)


def _waiting() -> dict[str, int]:
    """What still has to be done in the background, counted in the order in which one thing makes
    another: a sale that ends makes news, and news makes mails."""
    found = {
        "sales": ChargeSale.objects.unsettled().count(),
        "news": OutboxMessage.objects.open().count(),
        "mails": Mail.objects.filter(state="queued").count(),
    }
    return {name: count for name, count in found.items() if count}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    import http.client

    try:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        line.request("GET", "/api/health/", headers={"Host": HOST})
        return line.getresponse().status == 200
    except OSError:
        return False


def _await(condition: Callable[[], bool], what: str, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come in {seconds:.0f} s")
        time.sleep(0.05)
