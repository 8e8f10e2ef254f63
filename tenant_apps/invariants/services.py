"""The watch: runs the checks, keeps how they stand, raises and closes alarms."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import asdict
from datetime import timedelta
from functools import partial

import structlog
from django.db import DatabaseError, connection

from shared_apps.audit import services as audit
from shared_apps.kernel import clock, invariants
from shared_apps.kernel.actor import Actor
from shared_apps.kernel.invariants import MOST_FINDINGS, Invariant, Reading
from shared_apps.kernel.operations import step
from shared_apps.kernel.transactions import one_moment, retrying

from .events import InvariantBroken, InvariantRestored
from .models import CheckState, InvariantAlarm, InvariantAlarmClosing, InvariantCheck

logger = structlog.get_logger(__name__)

# A sweep reads everything. It comes again after ten thousand times the time that it took, so that
# it costs a ten-thousandth of a processor, but within a day, and not within ten minutes.
SWEEP_PAUSE_FACTOR = 10_000
SHORTEST_SWEEP_PAUSE = timedelta(minutes=10)
LONGEST_SWEEP_PAUSE = timedelta(days=1)
# While something is red that only a sweep sees, whoever repairs it waits for the next one.
RED_SWEEP_PAUSE_FACTOR = 10


@step
def watch(*, actor: Actor, sweep: bool = False, names: Collection[str] = ()) -> list[str]:
    """Run the checks of the present organization; answer the names of those that are red.

    Each runs in a transaction of its own that sees one moment. One that another run is at is left
    to it. `sweep` lets all read everything; `names` chooses some. One that fails by itself is
    logged and keeps its state, which grows old visibly.
    """
    chosen = [one for one in invariants.registered() if not names or one.name in names]
    _make_rows(chosen)
    for invariant in chosen:
        try:
            retrying(partial(_run, invariant, actor=actor, sweep=sweep))
        except Exception as problem:
            if connection.in_atomic_block and isinstance(problem, DatabaseError):
                raise
            # One that fails takes none of the others along.
            logger.exception("invariant_not_checked", invariant=invariant.name)
    red = InvariantCheck.objects.red().filter(name__in=[one.name for one in chosen])
    return list(red.order_by("name").values_list("name", flat=True))


def _make_rows(chosen: Collection[Invariant]) -> None:
    known = set(InvariantCheck.objects.values_list("name", flat=True))
    fresh = [
        InvariantCheck(name=one.name, concerns=one.concerns)
        for one in chosen
        if one.name not in known
    ]
    if fresh:
        InvariantCheck.objects.bulk_create(fresh, ignore_conflicts=True)


def _run(invariant: Invariant, *, actor: Actor, sweep: bool) -> None:
    with one_moment(read_only=False):
        check: InvariantCheck | None = (
            InvariantCheck.objects.select_for_update(no_key=True, skip_locked=True)
            .filter(name=invariant.name)
            .first()
        )
        if check is None:
            return
        sweeping = sweep or _sweep_is_due(check, rotates=invariant.rotates)
        began = time.perf_counter()
        reading = invariant.check(since=None if sweeping else check.watermark)
        if sweeping:
            check.swept_at = clock.now()
            check.sweep_microseconds = int((time.perf_counter() - began) * 1_000_000)
        check.checked_at = clock.now()
        check.concerns = invariant.concerns
        check.rows_read = reading.rows
        _settle(check, reading, by_sweep=sweeping, actor=actor)
        check.save()


def _sweep_is_due(check: InvariantCheck, *, rotates: bool) -> bool:
    if rotates and not check.found_by_sweep:
        return False
    if check.swept_at is None:
        return True
    took = timedelta(microseconds=check.sweep_microseconds)
    if check.found_by_sweep:
        pause = took * RED_SWEEP_PAUSE_FACTOR
    else:
        pause = min(max(took * SWEEP_PAUSE_FACTOR, SHORTEST_SWEEP_PAUSE), LONGEST_SWEEP_PAUSE)
    return clock.now() - check.swept_at >= pause


def _settle(check: InvariantCheck, reading: Reading, *, by_sweep: bool, actor: Actor) -> None:
    """Take over what was found. An alarm is raised once, however often it is found again."""
    findings = [asdict(finding) for finding in reading.findings[:MOST_FINDINGS]]
    if findings:
        # The watermark stays: whatever is wrong is read again until it is right.
        check.findings = findings
        check.found_by_sweep = check.found_by_sweep or by_sweep
        if check.state == CheckState.GREEN:
            _open(check, actor=actor)
        return
    if check.found_by_sweep and not by_sweep:
        return
    check.watermark = dict(reading.watermark)
    check.findings = []
    check.found_by_sweep = False
    if check.state == CheckState.RED:
        _close(check, actor=actor)


def _open(check: InvariantCheck, *, actor: Actor) -> None:
    check.alarm = InvariantAlarm.objects.create(
        invariant=check.name,
        concerns=check.concerns,
        findings=check.findings,
        opened_at=clock.now(),
    )
    check.state = CheckState.RED
    logger.error("invariant_broken", invariant=check.name, findings=len(check.findings))
    audit.record(
        InvariantBroken(
            subject_id=check.alarm.pk,
            invariant=check.name,
            concerns=check.concerns,
            findings=len(check.findings),
        ),
        actor=actor,
    )


def _close(check: InvariantCheck, *, actor: Actor) -> None:
    alarm = check.alarm
    assert alarm is not None, "what is red has an alarm"
    InvariantAlarmClosing.objects.create(alarm=alarm, closed_at=clock.now())
    check.state, check.alarm = CheckState.GREEN, None
    logger.warning("invariant_restored", invariant=check.name)
    audit.record(
        InvariantRestored(subject_id=alarm.pk, invariant=check.name, concerns=check.concerns),
        actor=actor,
    )
