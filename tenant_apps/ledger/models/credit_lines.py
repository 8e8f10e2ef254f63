"""How much credit somebody may use, how much of it is used, and how it came about."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Greatest

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.ids import ids_near
from shared_apps.kernel.models import RecordQuerySet
from shared_apps.kernel.money import Money

from .snapshots import LateArrival, SettledCreditLine


class CreditLineEntryKind(models.TextChoices):
    OPEN = "open", "Opened"
    LIMIT = "limit", "Limit changed"
    USE = "use", "Used"
    RETURN = "return", "Returned"
    HOLD = "hold", "Held"
    CAPTURE = "capture", "Captured"
    RELEASE = "release", "Released"
    OVERRIDE = "override", "Used above the limit"


class CreditLineQuerySet(RecordQuerySet["CreditLine"]):
    def of_subjects(self, subject_type: str, subject_ids: Sequence[UUID]) -> Self:
        return self.filter(subject_type=subject_type, subject_id__in=subject_ids)


class CreditLine(models.Model):
    """What a subject (a client, a relationship, a supplier) may owe in one currency.

    In minor units: `used_minor` is owed, `held_minor` reserved, and both together stay within
    `limit_minor`; without a limit they are only counted. Where a limit was lowered below what was
    in use, or was passed on purpose, `grandfathered_minor` is what may stand above it: it only
    falls, and until it is back within the limit nothing may raise what is in use. What a limit
    means is the business of the app that owns the subject.
    """

    read_only = True

    id = models.UUIDField(primary_key=True, editable=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    currency = CurrencyField()
    limit_minor = MinorUnitsField(null=True)
    grandfathered_minor = MinorUnitsField(default=0)
    used_minor = MinorUnitsField(default=0)
    held_minor = MinorUnitsField(default=0)
    version = models.BigIntegerField(default=0)
    lock_rank = models.PositiveSmallIntegerField(default=0)

    limit = MoneyOf("limit_minor", "currency")
    used = MoneyOf("used_minor", "currency")
    held = MoneyOf("held_minor", "currency")

    objects: ClassVar = CreditLineQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        ordering = ("subject_type", "subject_id", "currency")
        constraints = (
            models.UniqueConstraint(
                fields=["subject_id", "subject_type", "currency"], name="ledger_creditline_is_one"
            ),
            models.CheckConstraint(
                name="ledger_creditline_amounts",
                condition=Q(grandfathered_minor__gte=0, used_minor__gte=0, held_minor__gte=0),
            ),
            models.CheckConstraint(
                name="ledger_creditline_limit",
                condition=Q(limit_minor__isnull=True) | Q(limit_minor__gte=0),
            ),
            models.CheckConstraint(
                name="ledger_creditline_within",
                condition=Q(limit_minor__isnull=True)
                | Q(
                    used_minor__lte=Greatest(F("limit_minor"), F("grandfathered_minor"))
                    - F("held_minor")
                ),
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject_type} {self.currency}"

    @property
    def available(self) -> Money | None:
        """What may still be used or held; below zero above the limit, None without one."""
        limit = self.limit
        return None if limit is None else limit - self.used - self.held


class CreditLineEntryQuerySet(RecordQuerySet["CreditLineEntry"]):
    """Entries have ids that begin as their source's, as transfers have."""

    def of_source(self, source_id: UUID) -> Self:
        return self.filter(id__range=ids_near(source_id), source_id=source_id)

    def known_at(self, at: datetime) -> Self:
        """Those that were known at a settled instant."""
        late = LateArrival.objects.filter(transfer_id=OuterRef("pk")).values("recorded_at")
        settled = SettledCreditLine.objects.filter(line_id=OuterRef("line_id")).values("version")
        return self.alias(known_from=Coalesce(Subquery(late), F("recorded_at"))).filter(
            version__lte=Subquery(settled), known_from__lte=at
        )


class CreditLineEntry(models.Model):
    """One change of a credit line and how it left the line, so that exposure has two times too.

    `used_change` and `held_change` are in minor units, with their sign; the rest is as the line
    stood right after. `reason` says why a limit was passed on purpose.
    """

    read_only = True
    append_only = True

    id = models.UUIDField(primary_key=True, editable=False)
    request_hash = models.BinaryField(max_length=32)
    line = models.ForeignKey(
        CreditLine,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="entries",
    )
    version = models.BigIntegerField()
    kind = models.CharField(max_length=8, choices=CreditLineEntryKind.choices)
    used_change = MinorUnitsField(default=0)
    held_change = MinorUnitsField(default=0)
    limit_minor = MinorUnitsField(null=True)
    grandfathered_minor = MinorUnitsField()
    used_minor = MinorUnitsField()
    held_minor = MinorUnitsField()
    currency = CurrencyField()
    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    source_type = models.CharField(max_length=64)
    source_id = models.UUIDField()
    reason = models.CharField(max_length=200, blank=True)
    actor_id = models.UUIDField(null=True)

    used_by = MoneyOf("used_change", "currency")
    held_by = MoneyOf("held_change", "currency")
    limit = MoneyOf("limit_minor", "currency")
    used = MoneyOf("used_minor", "currency")
    held = MoneyOf("held_minor", "currency")

    objects: ClassVar = CreditLineEntryQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("-version",)
        constraints = (
            models.UniqueConstraint(
                fields=["line", "version"], name="ledger_creditlineentry_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.line_id} {self.version} {self.kind}"

    @property
    def available(self) -> Money | None:
        """What could still be used or held right after it; None where there was no limit."""
        limit = self.limit
        return None if limit is None else limit - self.used - self.held
