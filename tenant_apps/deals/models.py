"""Deals, the history of their stages, and the log of what was done about them."""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from shared_apps.access.models import AccessPaths, ObjectGrant, Scoped
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record, RecordQuerySet, Versioned
from shared_apps.kernel.money import Money
from tenant_apps.deals import errors
from tenant_apps.parties.models import Party
from tenant_apps.products.models import Product, TaxRate


class Stage(models.TextChoices):
    PROSPECTING = "prospecting", "Prospecting"
    ENGAGING = "engaging", "Engaging"
    WON = "won", "Won"
    LOST = "lost", "Lost"


OPEN_STAGES = (Stage.PROSPECTING, Stage.ENGAGING)
CLOSED_STAGES = (Stage.WON, Stage.LOST)

# From a stage to the stages that may follow it.
FOLLOWING: dict[str, tuple[str, ...]] = {
    Stage.PROSPECTING: (Stage.ENGAGING, Stage.WON, Stage.LOST),
    Stage.ENGAGING: (Stage.PROSPECTING, Stage.WON, Stage.LOST),
    Stage.LOST: (Stage.PROSPECTING, Stage.ENGAGING),
    Stage.WON: (),
}


# A hundred-thousandth of what the books can hold in one account: one slip of the pen must not fill
# the revenue account, after which no invoice of the organization could be posted.
MAX_VALUE_MINOR = 10**14

# A day before this one is a slip of the pen, and would open a range of invoice numbers of its own.
EARLIEST_DAY = date(1970, 1, 1)


def check_value(value: Money) -> None:
    """Whether an amount can be the value of a deal.

    :raises NegativeValue: it is below zero.
    :raises ValueTooLarge: it is above `MAX_VALUE_MINOR`.
    """
    if value.is_negative:
        raise errors.NegativeValue.field("value", detail="A value is not below zero.")
    if value.minor > MAX_VALUE_MINOR:
        most = Money(MAX_VALUE_MINOR, value.currency)
        raise errors.ValueTooLarge.field("value", detail=f"A deal has at most {most}.")


def check_not_too_early(day: date) -> None:
    """:raises StageDateTooEarly: nobody sold anything that long ago."""
    if day < EARLIEST_DAY:
        raise errors.StageDateTooEarly(f"{day} is before {EARLIEST_DAY}.")


class DealQuerySet(RecordQuerySet["Deal"]):
    def open(self) -> Self:
        return self.filter(stage__in=OPEN_STAGES)

    def won(self) -> Self:
        return self.filter(stage=Stage.WON)


class Deal(Scoped, Record, Versioned):
    """An opportunity to sell. Its value is before tax."""

    reference = models.CharField(max_length=40)
    name = models.CharField(max_length=200, blank=True, default="")
    client = models.ForeignKey(
        Party, null=True, blank=True, on_delete=models.PROTECT, related_name="deals"
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="deals"
    )
    tax_rate = models.ForeignKey(
        TaxRate, null=True, blank=True, on_delete=models.PROTECT, related_name="deals"
    )
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.PROSPECTING)
    value_minor = MinorUnitsField(default=0)
    currency = CurrencyField()
    value = MoneyOf("value_minor", "currency")
    engaged_on = models.DateField(null=True, blank=True)
    expected_close_on = models.DateField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    external_source = models.CharField(max_length=40, blank=True, default="")
    external_reference = models.CharField(max_length=200, blank=True, default="")

    objects = DealQuerySet.as_manager()

    class Meta:
        permissions = [("assign_deal", "Can give a deal to another owner")]
        constraints = [
            models.UniqueConstraint(fields=["reference"], name="deals_deal_reference"),
            models.UniqueConstraint(
                fields=["external_source", "external_reference"],
                condition=~Q(external_reference=""),
                name="deals_deal_external_reference",
            ),
            models.CheckConstraint(
                condition=Q(value_minor__gte=0), name="deals_deal_value_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(value_minor__lte=MAX_VALUE_MINOR), name="deals_deal_value_bounded"
            ),
            models.CheckConstraint(
                condition=~Q(stage=Stage.WON) | (Q(client__isnull=False) & Q(value_minor__gt=0)),
                name="deals_deal_won_has_client_and_value",
            ),
            models.CheckConstraint(
                condition=(
                    Q(stage__in=CLOSED_STAGES, closed_on__isnull=False)
                    | Q(stage__in=OPEN_STAGES, closed_on__isnull=True)
                ),
                name="deals_deal_closed_on_iff_closed",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True)
                | Q(engaged_on__isnull=True)
                | Q(closed_on__gte=models.F("engaged_on")),
                name="deals_deal_closed_after_engaged",
            ),
        ]
        indexes = [
            models.Index(fields=["stage", "closed_on"], name="deals_deal_stage_closed"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN_STAGES

    def check_changeable(self, fields: frozenset[str]) -> None:
        """A closed deal keeps what it was closed with; its name may still be corrected.

        :raises DealClosed: it is won or lost and more than the name would change.
        """
        if not self.is_open and fields - {"name"}:
            raise errors.DealClosed(f"{self.reference} is {self.stage}: only its name may change.")

    def check_assignable(self) -> None:
        """:raises DealClosed: a closed deal stays with the one who closed it."""
        if not self.is_open:
            raise errors.DealClosed(f"{self.reference} is {self.stage} and stays with its owner.")

    def check_may_become(self, stage: str, *, on: date) -> None:
        """Whether this stage may follow the present one on this day.

        :raises StageDateTooEarly: nobody sold anything that long ago.
        :raises StageNotReachable: the stage cannot follow the present one.
        :raises ClosedBeforeEngaged: the day lies before the one it was engaged on.
        """
        if stage not in FOLLOWING[self.stage]:
            raise errors.StageNotReachable(
                f"{self.reference} is {self.stage} and cannot become {stage}.",
                extra={"stage": self.stage, "possible": list(FOLLOWING[self.stage])},
            )
        check_not_too_early(on)
        if stage in CLOSED_STAGES and self.engaged_on is not None and on < self.engaged_on:
            raise errors.ClosedBeforeEngaged(
                f"{self.reference} was engaged on {self.engaged_on}, after {on}."
            )

    def check_currency(self, value: Money) -> None:
        """Whether a value can be the deal's: payments may already stand in its currency.

        :raises CurrencyIsFixed: it is in another currency.
        :raises NegativeValue, ValueTooLarge: it cannot be a deal's value at all.
        """
        if value.currency != self.currency:
            raise errors.CurrencyIsFixed(
                f"{self.reference} is in {self.currency}, not in {value.currency}."
            )
        check_value(value)

    def event_values(self) -> dict[str, Any]:
        """What every event of this deal carries."""
        return {
            "subject_id": self.id,
            "reference": self.reference,
            "owner_id": self.owner_id,
            "unit_id": self.unit_id,
            "client_id": self.client_id,
            "product_id": self.product_id,
            "value_minor": self.value_minor,
            "currency": self.currency,
        }

    def check_winnable(self) -> None:
        """Whether the deal has what an invoice needs.

        :raises DealHasNoClient: it has no client.
        :raises DealHasNoValue: its value is zero.
        """
        if self.client_id is None:
            raise errors.DealHasNoClient(f"{self.reference} has no client.")
        if self.value_minor <= 0:
            raise errors.DealHasNoValue(f"{self.reference} has no value.")


class StageChange(Record):
    """That a deal moved from one stage to another: who and when come with the row."""

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="deal__owner_id", unit="deal__unit_id")

    deal = models.ForeignKey(
        Deal, on_delete=models.PROTECT, related_name="stage_changes", db_index=False
    )
    # Empty for the first one, when the deal was recorded.
    from_stage = models.CharField(max_length=12, choices=Stage, blank=True, default="")
    to_stage = models.CharField(max_length=12, choices=Stage)
    occurred_on = models.DateField()
    comment = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(from_stage=models.F("to_stage")), name="deals_stagechange_moves"
            ),
        ]
        indexes = [
            models.Index(fields=["deal", "id"], name="deals_stagechange_of_deal"),
        ]

    def __str__(self) -> str:
        return f"{self.from_stage or 'new'} to {self.to_stage}"


class ActivityKind(models.TextChoices):
    NOTE = "note", "Note"
    CALL = "call", "Call"
    MEETING = "meeting", "Meeting"
    EMAIL = "email", "E-mail"
    VISIT = "visit", "Visit"


class Activity(Record):
    """Something a person did about a deal, in that person's words."""

    append_only: ClassVar[bool] = True
    access_paths: ClassVar[AccessPaths] = AccessPaths(owner="deal__owner_id", unit="deal__unit_id")

    deal = models.ForeignKey(
        Deal, on_delete=models.PROTECT, related_name="activities", db_index=False
    )
    kind = models.CharField(max_length=10, choices=ActivityKind)
    text = models.CharField(max_length=2000)
    happened_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="deals_activity_has_text"),
        ]
        indexes = [
            models.Index(fields=["deal", "id"], name="deals_activity_of_deal"),
        ]

    def __str__(self) -> str:
        return self.kind


class DealGrant(ObjectGrant):
    """A right on one deal, given to one user, with a real foreign key."""

    content_object = models.ForeignKey(Deal, on_delete=models.CASCADE, related_name="+")

    class Meta(ObjectGrant.Meta):
        pass
