"""How much credit a client may have, and who let it pass when it had more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths, Scoped
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from tenant_apps.limits import errors
from tenant_apps.parties.models import Party


class Mode(models.TextChoices):
    """What happens to an invoice that would pass the limit."""

    WARN = "warn", "Issue it and say so"
    REFUSE = "refuse", "Refuse it"


class LimitState(models.TextChoices):
    SCHEDULED = "scheduled", "Takes effect on its day"
    IN_FORCE = "in_force", "In force"
    REPLACED = "replaced", "Replaced by a later decision"


class CreditLimitQuerySet(RecordQuerySet["CreditLimit"]):
    def standing(self) -> Self:
        """In force, or decided for a day to come."""
        return self.filter(state__in=[LimitState.IN_FORCE, LimitState.SCHEDULED])

    def in_force(self) -> Self:
        return self.filter(state=LimitState.IN_FORCE)

    def due(self, *, on: date) -> Self:
        """Decided for a day that has come, and not in force yet."""
        return self.filter(state=LimitState.SCHEDULED, effective_on__lte=on)

    def of_clients(self, client_ids: Iterable[UUID]) -> Self:
        return self.filter(client_id__in=set(client_ids))


class CreditLimit(Record):
    """A decision on a client's credit in one currency. Each change is a decision of its own.

    `amount_minor` is null where the limit was taken away: what the client owes is then only
    counted. From the first decision on, the ledger keeps a credit line of the client's, whose
    `used` is what the client owes; the limit in force stands there as well.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit=None)

    client = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="credit_limits")
    currency = CurrencyField()
    amount_minor = MinorUnitsField(null=True)
    mode = models.CharField(max_length=8, choices=Mode)
    effective_on = models.DateField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=LimitState)
    in_force_at = models.DateTimeField(null=True)
    replaced_at = models.DateTimeField(null=True)

    amount = MoneyOf("amount_minor", "currency")

    objects = CreditLimitQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "view")
        constraints = [
            models.UniqueConstraint(
                fields=["client", "currency"],
                condition=Q(state="in_force"),
                name="limits_creditlimit_one_in_force",
            ),
            models.UniqueConstraint(
                fields=["client", "currency"],
                condition=Q(state="scheduled"),
                name="limits_creditlimit_one_scheduled",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True) | Q(amount_minor__gte=0),
                name="limits_creditlimit_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(mode__in=["warn", "refuse"]), name="limits_creditlimit_mode_known"
            ),
            models.CheckConstraint(
                condition=(
                    Q(state="scheduled", in_force_at__isnull=True, replaced_at__isnull=True)
                    | Q(state="in_force", in_force_at__isnull=False, replaced_at__isnull=True)
                    | Q(state="replaced", replaced_at__isnull=False)
                ),
                name="limits_creditlimit_state_has_times",
            ),
        ]
        indexes = [
            models.Index(
                fields=["effective_on"],
                condition=Q(state="scheduled"),
                name="limits_creditlimit_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount or 'no limit'} ({self.mode})"

    @property
    def refuses(self) -> bool:
        return self.mode == Mode.REFUSE


class OverrideState(models.TextChoices):
    REQUESTED = "requested", "Waits for another person"
    APPROVED = "approved", "Approved, not used"
    USED = "used", "Used"
    DECLINED = "declined", "Declined"
    RECALLED = "recalled", "Taken back by its maker"


class LimitOverrideQuerySet(RecordQuerySet["LimitOverride"]):
    def usable(self, *, on: date) -> Self:
        return self.filter(state=OverrideState.APPROVED, valid_until__gte=on)


class LimitOverride(Scoped, Record, Versioned):
    """That one invoice may take a client above its limit, once, for a reason.

    `amount_minor` is how far above the limit the client may stand with that invoice. It is used
    by the next invoice that needs it, or only by that of the deal it names. The deal stands on a
    higher floor, so it is an id and no foreign key.
    """

    client = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="limit_overrides")
    currency = CurrencyField()
    amount_minor = MinorUnitsField()
    deal_id = models.UUIDField(null=True)
    valid_until = models.DateField()
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=OverrideState, default=OverrideState.REQUESTED)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.UUIDField(null=True)
    used_at = models.DateTimeField(null=True)
    used_by_source_id = models.UUIDField(null=True)

    amount = MoneyOf("amount_minor", "currency")

    objects = LimitOverrideQuerySet.as_manager()

    class Meta:
        default_permissions = ("add", "view")
        permissions = [("approve_limitoverride", "Can approve an invoice above a limit")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="limits_limitoverride_amount_positive"
            ),
            models.CheckConstraint(
                condition=Q(state="used", used_at__isnull=False, used_by_source_id__isnull=False)
                | (~Q(state="used") & Q(used_at__isnull=True, used_by_source_id__isnull=True)),
                name="limits_limitoverride_used_has_source",
            ),
            models.CheckConstraint(
                condition=Q(state="requested", decided_at__isnull=True)
                | (~Q(state="requested") & Q(decided_at__isnull=False)),
                name="limits_limitoverride_decided_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["requested", "approved", "used", "declined", "recalled"]),
                name="limits_limitoverride_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["client", "currency"],
                condition=Q(state="approved"),
                name="limits_limitoverride_usable",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} above"

    def content(self) -> dict[str, Any]:
        """What the other person signs."""
        return {
            "client": str(self.client_id),
            "amount": self.amount.to_string(),
            "currency": self.currency,
            "deal": str(self.deal_id or ""),
            "valid_until": self.valid_until.isoformat(),
            "reason": self.reason,
        }

    def check_approvable(self, *, on: date) -> None:
        """:raises OverrideExpired: its last day is over."""
        if self.valid_until < on:
            raise errors.OverrideExpired(f"It was asked for until {self.valid_until}.")


class Cause(models.TextChoices):
    """Why a client was let above its limit."""

    WARNED = "warned", "The limit only warns"
    OVERRIDDEN = "overridden", "Somebody asked, another person approved"
    BYPASSED = "bypassed", "It had happened before it was recorded here"
    BOOKED = "booked", "A journal made by hand"


class Overrun(Record):
    """That an invoice (or a journal) took a client above its limit, and why it was let pass.

    In minor units: `amount_minor` was added, `used_minor` was owed with it.
    """

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit=None)

    client = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    currency = CurrencyField()
    source_type = models.CharField(max_length=64)
    source_id = models.UUIDField()
    deal_id = models.UUIDField(null=True)
    cause = models.CharField(max_length=10, choices=Cause)
    amount_minor = MinorUnitsField()
    limit_minor = MinorUnitsField()
    used_minor = MinorUnitsField()
    override = models.OneToOneField(
        LimitOverride, null=True, on_delete=models.PROTECT, related_name="overrun"
    )
    reason = models.CharField(max_length=200)

    amount = MoneyOf("amount_minor", "currency")
    limit = MoneyOf("limit_minor", "currency")
    used = MoneyOf("used_minor", "currency")

    objects = RecordQuerySet["Overrun"].as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["source_id", "client", "currency"], name="limits_overrun_once"
            ),
            models.CheckConstraint(
                condition=Q(cause="overridden", override__isnull=False)
                | (~Q(cause="overridden") & Q(override__isnull=True)),
                name="limits_overrun_override_named",
            ),
        ]
        indexes = [
            models.Index(
                fields=["deal_id"],
                condition=Q(deal_id__isnull=False),
                name="limits_overrun_deal",
            ),
            models.Index(fields=["created_at", "id"], name="limits_overrun_recorded"),
        ]

    def __str__(self) -> str:
        return f"{self.used} of {self.limit}"
