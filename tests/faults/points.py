"""Named points of the running product, and what breaks at them.

A point is a place in the code, before or after something. The parts of a round are armed before
they start: at the so-many-th passing of its point, in whatever process of the part that is, a
strike happens, once in the round.
"""

from __future__ import annotations

import ctypes
import functools
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection

from shared_apps.kernel import clock
from tests.faults.plans import Plan, Strike
from tests.faults.servers import kill_postgres

LONGEST_HANG = 1.5


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a point lies: a function, and whether it is passed on the way in or out."""

    module: str
    name: str
    is_after: bool = True


_POSTS = Place(module="tenant_apps.ledger.database", name="post_legs")
_DELIVERING = "tenant_apps.wallets.services.delivering"
PLACES: dict[str, tuple[Place, ...]] = {
    "before commit": (
        Place(module="tenants.database.base", name="DatabaseWrapper._commit", is_after=False),
    ),
    "after commit": (Place(module="tenants.database.base", name="DatabaseWrapper._commit"),),
    "key held": (Place(module="shared_apps.idempotency.services", name="take_key"),),
    "answer kept": (Place(module="shared_apps.idempotency.services", name="keep_answer"),),
    "posted": (_POSTS,),
    "event recorded": (Place(module="shared_apps.audit.services", name="record"),),
    "sale held": (
        Place(module="tenant_apps.wallets.services", name="deliver_sale", is_after=False),
    ),
    "sale about to be called": (Place(module=_DELIVERING, name="_call", is_after=False),),
    "sale called": (Place(module=_DELIVERING, name="_settle_or_leave", is_after=False),),
    "sale settled": (Place(module=_DELIVERING, name="_closed"),),
    "task taken": (Place(module="tenants.tasks", name="TenantTask.__call__", is_after=False),),
    "task done": (Place(module="tenants.tasks", name="TenantTask.__call__"),),
    "message claimed": (Place(module="shared_apps.outbox.relay", name="_claim"),),
    "receipt taken": (Place(module="shared_apps.outbox.relay", name="_take_receipt"),),
    "consumer done": (Place(module="shared_apps.outbox.relay", name="_try"),),
    "segment sealed": (Place(module="shared_apps.seals.services", name="_seal"),),
    "hold reserved": (Place(module="tenant_apps.ledger.database", name="reserve"),),
    "hold closed": (Place(module="tenant_apps.ledger.database", name="close_hold"),),
    "credit changed": (
        Place(module="tenant_apps.ledger.credit_database", name="change_credit_lines"),
    ),
}


class Sky:
    """What all processes of a round share: its clock, its folder, and whom to kill."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._offset = _shared(ctypes.c_double)
        self.postgres_pid = _shared(ctypes.c_int)
        self.valkey_pid = _shared(ctypes.c_int)
        self.scheduler_pid = _shared(ctypes.c_int)
        # How long the keeper lets what died lie.
        self.pause = _shared(ctypes.c_double)

    @property
    def offset(self) -> float:
        return float(self._offset.value)

    def turn_clock(self, seconds: float) -> None:
        self._offset.value += seconds

    def passed(self, strike: Strike) -> int:
        """Count a passing; a process that is killed meanwhile takes no lock along."""
        handle = os.open(
            self.folder / f"passings-{strike.number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND
        )
        try:
            os.write(handle, b".")
            return os.fstat(handle).st_size
        finally:
            os.close(handle)

    def claim(self, strike: Strike) -> bool:
        """Whether it is ours to do: each strike happens once."""
        try:
            os.close(os.open(self._mark(strike), os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True

    def has_struck(self, strike: Strike) -> bool:
        return self._mark(strike).exists()

    def _mark(self, strike: Strike) -> Path:
        return self.folder / f"struck-{strike.number}"


def _shared(kind: Any) -> Any:
    from multiprocessing.sharedctypes import RawValue

    return RawValue(kind, 0)


def arm(part: str, plan: Plan, sky: Sky) -> None:
    """Prepare a process of the part, before it starts its work."""
    for strike in plan.strikes:
        if strike.part == part:
            for place in PLACES[strike.point]:
                _wrap(place, _watcher(strike, sky))
    if "tasks come twice and late" in plan.lasting:
        _double_tasks(plan.seed)


def _watcher(strike: Strike, sky: Sky) -> Callable[[], None]:
    def pass_by() -> None:
        if connection.schema_name in (None, "public") and strike.point.endswith("commit"):
            # The routing's own; what we are after is an organization's.
            return
        if sky.has_struck(strike) or sky.passed(strike) < strike.passing:
            return
        if sky.claim(strike):
            STRIKES[strike.fault](strike, sky)

    return pass_by


def find(place: Place) -> tuple[Any, str, Callable[..., Any]]:
    """Whose function it is, its name there, and the function itself.

    :raises AttributeError: there is none any more; whoever renamed it renames the point's place.
    """
    owner: Any = import_module(place.module)
    *outer, name = place.name.split(".")
    for part in outer:
        owner = getattr(owner, part)
    return owner, name, getattr(owner, name)


def _wrap(place: Place, pass_by: Callable[[], None]) -> None:
    owner, name, real = find(place)

    @functools.wraps(real)
    def wrapped(*given: Any, **named: Any) -> Any:
        if not place.is_after:
            pass_by()
        answer = real(*given, **named)
        if place.is_after:
            pass_by()
        return answer

    setattr(owner, name, wrapped)


def _double_tasks(seed: int) -> None:
    """Let the broker do what it may: deliver every other task twice, some late, so in another
    order."""
    from tenants.tasks import TenantTask

    dice = random.Random(f"{seed} {os.getpid()}")
    real = TenantTask.apply_async

    def twice(self: Any, *given: Any, **options: Any) -> Any:
        if dice.random() < 0.5:
            real(self, *given, **{**options, "countdown": dice.choice([0, 0.2, 0.6])})
        return real(self, *given, **{**options, "countdown": dice.choice([0, 0, 0.3])})

    TenantTask.apply_async = twice  # type: ignore[method-assign]


def _kill_myself(strike: Strike, sky: Sky) -> None:
    sky.pause.value = strike.seconds
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_my_part(strike: Strike, sky: Sky) -> None:
    sky.pause.value = strike.seconds
    os.killpg(os.getpgrp(), signal.SIGKILL)


def _kill(pid: int) -> None:
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _kill_scheduler(strike: Strike, sky: Sky) -> None:
    sky.pause.value = strike.seconds
    _kill(sky.scheduler_pid.value)


def _kill_backend(strike: Strike, sky: Sky) -> None:
    """The one that serves us; the server then ends all others and recovers."""
    _kill(connection.connection.info.backend_pid if connection.connection else 0)


def _kill_database(strike: Strike, sky: Sky) -> None:
    sky.pause.value = strike.seconds
    kill_postgres(sky.postgres_pid.value)


def _kill_redis(strike: Strike, sky: Sky) -> None:
    sky.pause.value = strike.seconds
    _kill(sky.valkey_pid.value)


def _flush_redis(strike: Strike, sky: Sky) -> None:
    redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5).flushall()


def _hang(strike: Strike, sky: Sky) -> None:
    time.sleep(min(strike.seconds, LONGEST_HANG))


def _jump(strike: Strike, sky: Sky) -> None:
    sky.turn_clock(strike.seconds)


STRIKES: dict[str, Callable[[Strike, Sky], None]] = {
    "kill a web process": _kill_myself,
    "kill the whole web": _kill_my_part,
    "kill a worker process": _kill_myself,
    "kill the whole worker": _kill_my_part,
    "kill a desk": _kill_my_part,
    "kill a database backend": _kill_backend,
    "kill the database": _kill_database,
    "kill Redis": _kill_redis,
    "flush Redis": _flush_redis,
    "hang": _hang,
    "the clock jumps": _jump,
    "kill the scheduler": _kill_scheduler,
}


def follow_the_sky(sky: Sky) -> None:
    """Let this process and its children live at the round's time."""
    from datetime import timedelta

    clock.use_offset(lambda: timedelta(seconds=sky.offset))
