"""Funds that are reserved on an account until they are captured or released."""

from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.ids import ids_near
from shared_apps.kernel.models import RecordQuerySet

from .accounts import Account


class HoldState(models.TextChoices):
    OPEN = "open", "Open"
    CAPTURED = "captured", "Captured"
    RELEASED = "released", "Released"
    EXPIRED = "expired", "Expired"


class HoldEntryKind(models.TextChoices):
    RESERVE = "reserve", "Reserved"
    CAPTURE = "capture", "Captured"
    RELEASE = "release", "Released"
    EXPIRE = "expire", "Expired"


class HoldQuerySet(RecordQuerySet["Hold"]):
    """Holds have ids that begin as their source's, as transfers have."""

    def of_source(self, source_id: UUID) -> Self:
        return self.filter(id__range=ids_near(source_id), source_id=source_id)

    def open(self) -> Self:
        return self.filter(state=HoldState.OPEN)

    def due(self, *, at: datetime) -> Self:
        """Those that are open and have outlived their time."""
        return self.open().filter(expires_at__lte=at)


class Hold(models.Model):
    """Funds of one account that nobody else may use: they are in its `held`, not in its `posted`.

    Captures take from it until it is used up; what is left is released or expires. A hold that is
    no longer open holds nothing. `amount_minor` is what was reserved, in minor units.
    """

    read_only = True

    id = models.UUIDField(primary_key=True, editable=False)
    request_hash = models.BinaryField(max_length=32)
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    amount_minor = MinorUnitsField()
    captured_minor = MinorUnitsField(default=0)
    released_minor = MinorUnitsField(default=0)
    currency = CurrencyField()
    state = models.CharField(max_length=8, choices=HoldState.choices, default=HoldState.OPEN)
    entries_count = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    reserved_at = models.DateTimeField()
    source_type = models.CharField(max_length=64)
    source_id = models.UUIDField()
    actor_id = models.UUIDField(null=True)
    memo = models.CharField(max_length=200, blank=True)

    amount = MoneyOf("amount_minor", "currency")
    captured = MoneyOf("captured_minor", "currency")
    released = MoneyOf("released_minor", "currency")

    objects: ClassVar = HoldQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="ledger_hold_amounts",
                condition=Q(amount_minor__gt=0, captured_minor__gte=0, released_minor__gte=0),
            ),
            models.CheckConstraint(
                name="ledger_hold_is_closed_when_used_up",
                condition=Q(
                    state=HoldState.OPEN,
                    amount_minor__gt=F("captured_minor") + F("released_minor"),
                )
                | ~Q(state=HoldState.OPEN)
                & Q(amount_minor=F("captured_minor") + F("released_minor")),
            ),
        )
        indexes = (
            models.Index(fields=["account", "id"], name="ledger_hold_account"),
            models.Index(
                fields=["account"], condition=Q(state=HoldState.OPEN), name="ledger_hold_open"
            ),
            models.Index(
                fields=["expires_at"],
                condition=Q(state=HoldState.OPEN, expires_at__isnull=False),
                name="ledger_hold_expiring",
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_type} {self.state}"


class HoldEntry(models.Model):
    """One step in a hold's life, so that what was held is known for any past moment too.

    `held_minor` is what the account held in all, right after the step. A capture names the journal
    that it was made for.
    """

    read_only = True
    append_only = True

    pk = models.CompositePrimaryKey("hold_id", "number")
    hold_id = models.UUIDField()
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=8, choices=HoldEntryKind.choices)
    amount_minor = MinorUnitsField()
    held_minor = MinorUnitsField()
    currency = CurrencyField()
    journal_id = models.UUIDField(null=True)
    recorded_at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)

    amount = MoneyOf("amount_minor", "currency")
    held = MoneyOf("held_minor", "currency")

    class Meta:
        default_permissions = ()
        ordering = ("hold_id", "number")
        constraints = (
            models.CheckConstraint(name="ledger_holdentry_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="ledger_holdentry_journal",
                condition=Q(kind=HoldEntryKind.CAPTURE, journal_id__isnull=False)
                | ~Q(kind=HoldEntryKind.CAPTURE) & Q(journal_id__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.hold_id} {self.number} {self.kind}"
