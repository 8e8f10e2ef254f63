"""How each invariant stands, and every time that one did not hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from shared_apps.kernel import invariants
from shared_apps.kernel.models import Record, RecordQuerySet

# What runs every minute and has not run for that long is broken itself.
LATE_AFTER = timedelta(minutes=15)


class CheckState(models.TextChoices):
    GREEN = "green", "Green"
    RED = "red", "Red"


class InvariantAlarm(Record):
    """That an invariant was found broken: what was found, and when. Written once."""

    append_only: ClassVar[bool] = True

    invariant = models.CharField(max_length=80)
    concerns = models.CharField(max_length=40)
    findings = models.JSONField()
    opened_at = models.DateTimeField()

    objects = RecordQuerySet["InvariantAlarm"].as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.invariant} {self.opened_at:%Y-%m-%d %H:%M}"

    @property
    def title(self) -> str:
        return invariants.title_of(self.invariant)

    @property
    def closed_at(self) -> datetime | None:
        """When it was found to hold again; lists fetch it beforehand."""
        closing = getattr(self, "closing", None)
        return closing.closed_at if closing is not None else None


class InvariantAlarmClosing(Record):
    """That what an alarm was about holds again."""

    append_only: ClassVar[bool] = True

    alarm = models.OneToOneField(InvariantAlarm, on_delete=models.PROTECT, related_name="closing")
    closed_at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.alarm_id} {self.closed_at:%Y-%m-%d %H:%M}"


class InvariantCheckQuerySet(RecordQuerySet["InvariantCheck"]):
    def red(self) -> Self:
        return self.filter(state=CheckState.RED)

    def known(self) -> Self:
        """Those that an app of this release registers."""
        return self.filter(name__in=[one.name for one in invariants.registered()])


class InvariantCheck(Record):
    """How one invariant stands: its last run, where the next one begins, what was found.

    What only a sweep finds (`found_by_sweep`), only a sweep clears.
    """

    name = models.CharField(max_length=80)
    concerns = models.CharField(max_length=40)
    state = models.CharField(max_length=5, choices=CheckState, default=CheckState.GREEN)
    checked_at = models.DateTimeField(null=True)
    swept_at = models.DateTimeField(null=True)
    sweep_microseconds = models.PositiveBigIntegerField(default=0)
    rows_read = models.PositiveBigIntegerField(default=0)
    watermark = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    found_by_sweep = models.BooleanField(default=False)
    alarm = models.ForeignKey(InvariantAlarm, null=True, on_delete=models.PROTECT, related_name="+")

    objects: ClassVar = InvariantCheckQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["name"], name="invariants_check_name"),
            models.CheckConstraint(
                name="invariants_check_red_has_alarm",
                condition=Q(state=CheckState.RED, alarm__isnull=False)
                | Q(state=CheckState.GREEN, alarm__isnull=True, found_by_sweep=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"

    @property
    def title(self) -> str:
        return invariants.title_of(self.name)

    @property
    def red_since(self) -> datetime | None:
        """When the open alarm was raised; lists fetch it beforehand."""
        return self.alarm.opened_at if self.alarm is not None else None

    def is_late(self, *, at: datetime) -> bool:
        """Whether it should have run long ago: its state is old then, whatever it says."""
        return self.checked_at is None or at - self.checked_at > LATE_AFTER
