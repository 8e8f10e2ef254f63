"""Many sales from one file, each a sale of its own."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.models import Record, RecordQuerySet

from .sales import ChargeSale
from .sellers import Wallet


class BatchState(models.TextChoices):
    RUNNING = "running", "Running"
    DONE = "done", "Done"


class BatchRowState(models.TextChoices):
    """`placed` has a sale, which tells what became of it; `refused` never will."""

    WAITING = "waiting", "Waiting"
    PLACED = "placed", "Placed"
    REFUSED = "refused", "Refused"


class ChargeBatchQuerySet(RecordQuerySet["ChargeBatch"]):
    def running(self) -> Self:
        return self.filter(state=BatchState.RUNNING)


class ChargeBatch(Record):
    """A file of numbers to be charged from one wallet."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="wallet__seller__user_id", unit="wallet__seller__unit_id"
    )

    reference = models.CharField(max_length=24)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+")
    rows_count = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=BatchState, default=BatchState.RUNNING)
    finished_at = models.DateTimeField(null=True)
    # The API key that uploaded it: its sales are placed with what that key lends.
    api_key_id = models.UUIDField(null=True, editable=False)

    objects = ChargeBatchQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="wallets_chargebatch_reference"),
            models.CheckConstraint(
                condition=Q(state="running", finished_at__isnull=True)
                | Q(state="done", finished_at__isnull=False),
                name="wallets_chargebatch_done_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="wallets_chargebatch_made"),
            models.Index(
                fields=["id"], condition=Q(state="running"), name="wallets_chargebatch_running"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class ChargeBatchRow(Record):
    """One line of the file as it was written, and what became of it."""

    access_paths: ClassVar[AccessPaths] = AccessPaths(
        owner="batch__wallet__seller__user_id", unit="batch__wallet__seller__unit_id"
    )

    batch = models.ForeignKey(ChargeBatch, on_delete=models.PROTECT, related_name="rows")
    line = models.PositiveIntegerField()
    phone = models.CharField(max_length=40)
    amount = models.CharField(max_length=40)
    state = models.CharField(max_length=8, choices=BatchRowState, default=BatchRowState.WAITING)
    sale = models.OneToOneField(
        ChargeSale, null=True, on_delete=models.PROTECT, related_name="batch_row"
    )
    # Why it was refused: the code and the sentence that a single sale answers.
    code = models.CharField(max_length=64, blank=True, default="")
    detail = models.CharField(max_length=300, blank=True, default="")

    objects = RecordQuerySet["ChargeBatchRow"].as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["batch", "line"], name="wallets_chargebatchrow_line"),
            models.CheckConstraint(
                condition=Q(state="waiting", sale__isnull=True, code="")
                | Q(state="placed", sale__isnull=False, code="")
                | (Q(state="refused", sale__isnull=True) & ~Q(code="")),
                name="wallets_chargebatchrow_outcome",
            ),
        ]
        indexes = [
            models.Index(
                fields=["batch", "line"],
                condition=Q(state="waiting"),
                name="wallets_chargebatchrow_waiting",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} {self.line}"
