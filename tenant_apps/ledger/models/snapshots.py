"""What the past of the books is read from, so that no question reads all of it.

Derived from the transfers, written by the functions that `history.settling` calls and by nobody
else (the organization's role may only read), recounted by `verify_books`. None of it is needed for
a right answer about now, and nothing that posts reads or writes it. Sums may leave the range of one
amount, so they are numeric.

See docs/decisions/two-times.md for what the words mean.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from shared_apps.kernel.fields import CurrencyField


class SumField(models.DecimalField):
    """A sum of minor units, which may be larger than any amount."""

    def __init__(self, **kwargs: object) -> None:
        kwargs.setdefault("max_digits", 38)
        kwargs.setdefault("decimal_places", 0)
        super().__init__(**kwargs)  # type: ignore[arg-type]  # what Django writes into migrations


class Settlement(models.Model):
    """Until when the past of these books is settled: answers about it never change again.

    One row. `day_offset_minutes` is what a recorded instant (UTC) is moved by before its day is
    taken; it is fixed, so that a later instant never has an earlier day.
    """

    read_only: ClassVar[bool] = True

    id = models.SmallIntegerField(primary_key=True, default=1)
    settled_until = models.DateTimeField(null=True)
    day_offset_minutes = models.SmallIntegerField(default=0)
    transfers = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = (models.CheckConstraint(name="ledger_settlement_one", condition=Q(id=1)),)


class SettledPosition(models.Model):
    """Up to which version the transfers of a balance are settled."""

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("account_id", "stripe")
    account_id = models.UUIDField()
    stripe = models.PositiveSmallIntegerField()
    version = models.BigIntegerField()

    class Meta:
        default_permissions = ()


class SettledCreditLine(models.Model):
    """Up to which version the entries of a credit line are settled."""

    read_only: ClassVar[bool] = True

    line_id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField()

    class Meta:
        default_permissions = ()


class LateArrival(models.Model):
    """A transfer that became visible outside the settlement which its `posted_at` lies in.

    It was known from the beginning of that interval, or from its end, where its clock ran ahead.
    Entries of credit lines, whose ids are no transfer's, stand here too.
    """

    read_only: ClassVar[bool] = True

    transfer_id = models.UUIDField(primary_key=True)
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ()


class RecordedSegment(models.Model):
    """A few hundred transfers in the order in which they became known."""

    read_only: ClassVar[bool] = True

    number = models.BigIntegerField(primary_key=True)
    recorded_from = models.DateTimeField()
    recorded_until = models.DateTimeField()
    transfer_ids = ArrayField(models.UUIDField())

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=["recorded_until", "number"], name="ledger_segment_until"),)


class BalanceSnapshot(models.Model):
    """What a balance held at a version that parts what was known at an instant from the rest.

    Every transfer up to `version` was known at `recorded_at`; none after it was known before.
    """

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("account_id", "stripe", "block")
    account_id = models.UUIDField()
    stripe = models.PositiveSmallIntegerField()
    block = models.BigIntegerField()
    version = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    posted = SumField()

    class Meta:
        default_permissions = ()
        indexes = (
            models.Index(
                fields=["account_id", "stripe", "recorded_at", "version"],
                name="ledger_balancesnapshot_at",
            ),
        )


class BalanceDay(models.Model):
    """A day with movement of a balance, by effective day, as far as it is settled.

    `closing` is the sum of all that took effect until the day's end. The versions are the range of
    those transfers that were recorded on the very day they took effect.
    """

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("account_id", "stripe", "effective_on")
    account_id = models.UUIDField()
    stripe = models.PositiveSmallIntegerField()
    effective_on = models.DateField()
    change = SumField()
    closing = SumField()
    lines = models.BigIntegerField()
    first_version = models.BigIntegerField(null=True)
    last_version = models.BigIntegerField(null=True)

    class Meta:
        default_permissions = ()


class BalanceDisplacement(models.Model):
    """What took effect on another day than it was recorded on, between two snapshots.

    `late` was recorded after the day it took effect, `early` before it. `after_version` is that of
    the snapshot before, or 0. `versions` are theirs: a statement finds them without reading all.
    """

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("account_id", "stripe", "after_version", "effective_on")
    account_id = models.UUIDField()
    stripe = models.PositiveSmallIntegerField()
    after_version = models.BigIntegerField()
    effective_on = models.DateField()
    late = SumField(default=0)
    early = SumField(default=0)
    versions = ArrayField(models.BigIntegerField())

    class Meta:
        default_permissions = ()
        indexes = (
            models.Index(
                fields=["account_id", "stripe", "effective_on", "after_version"],
                name="ledger_displacement_day",
            ),
        )


class BookLine(models.Model):
    """A line of the chart in a currency that something was settled under."""

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("line_id", "currency")
    line_id = models.UUIDField()
    currency = CurrencyField()

    class Meta:
        default_permissions = ()


class BookSnapshot(models.Model):
    """What all accounts under a line held after a segment (debit positive)."""

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("line_id", "currency", "segment")
    line_id = models.UUIDField()
    currency = CurrencyField()
    segment = models.BigIntegerField()
    closing = SumField()

    class Meta:
        default_permissions = ()


class BookDay(models.Model):
    """A day with movement under a line, by effective day (debit positive)."""

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("line_id", "currency", "effective_on")
    line_id = models.UUIDField()
    currency = CurrencyField()
    effective_on = models.DateField()
    change = SumField()
    closing = SumField()

    class Meta:
        default_permissions = ()


class BookDisplacement(models.Model):
    """What took effect under a line on another day than it was recorded on, by segment."""

    read_only: ClassVar[bool] = True

    pk = models.CompositePrimaryKey("line_id", "currency", "segment", "effective_on")
    line_id = models.UUIDField()
    currency = CurrencyField()
    segment = models.BigIntegerField()
    effective_on = models.DateField()
    late = SumField(default=0)
    early = SumField(default=0)

    class Meta:
        default_permissions = ()
