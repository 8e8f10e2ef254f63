"""What deals, their stages and their activities look like from outside."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.kernel.api.serializers import (
    DayField,
    ExpandableSerializer,
    MoneyField,
    StrictSerializer,
)
from tenant_apps.deals.models import OPEN_STAGES, ActivityKind, Stage, StageChange
from tenant_apps.limits.models import Cause
from tenant_apps.limits.selectors import overruns_of_deals
from tenant_apps.parties.api.serializers import ClientOut
from tenant_apps.products.api.serializers import ProductOut


class PersonOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    full_name = serializers.CharField()
    email = serializers.CharField()


class DealOut(ExpandableSerializer):
    expandable = {"client": ClientOut, "product": ProductOut, "owner": PersonOut}

    id = serializers.UUIDField()
    reference = serializers.CharField()
    name = serializers.CharField()
    client = serializers.UUIDField(source="client_id", allow_null=True)
    product = serializers.UUIDField(source="product_id", allow_null=True)
    tax_rate = serializers.UUIDField(source="tax_rate_id", allow_null=True)
    owner = serializers.UUIDField(source="owner_id")
    unit = serializers.UUIDField(source="unit_id")
    stage = serializers.ChoiceField(choices=Stage.choices)
    value = MoneyField()
    engaged_on = serializers.DateField(allow_null=True)
    expected_close_on = serializers.DateField(allow_null=True)
    closed_on = serializers.DateField(allow_null=True)
    external_source = serializers.CharField()
    external_reference = serializers.CharField()
    version = serializers.IntegerField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class DealIn(StrictSerializer):
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    client = serializers.UUIDField(source="client_id", required=False, allow_null=True)
    product = serializers.UUIDField(source="product_id", required=False, allow_null=True)
    tax_rate = serializers.UUIDField(source="tax_rate_id", required=False, allow_null=True)
    value = MoneyField()
    expected_close_on = DayField(required=False, allow_null=True)


class NewDealIn(DealIn):
    stage = serializers.ChoiceField(
        choices=[(stage, stage.label) for stage in OPEN_STAGES], required=False
    )
    staged_on = DayField(
        required=False, help_text="The day on which the stage was reached; today if left out."
    )
    owner = serializers.UUIDField(
        source="owner_id", required=False, help_text="Whose deal it is; one's own if left out."
    )
    external_source = serializers.CharField(max_length=40, required=False, allow_blank=True)
    external_reference = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AssignmentIn(StrictSerializer):
    owner = serializers.UUIDField(source="owner_id")


class StageChangeOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    deal = serializers.UUIDField(source="deal_id")
    from_stage = serializers.CharField()
    to_stage = serializers.ChoiceField(choices=Stage.choices)
    occurred_on = serializers.DateField()
    comment = serializers.CharField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()


class CreditWarningOut(serializers.Serializer[Any]):
    """That the deal's invoice took its client above the credit limit, and why it was let pass."""

    cause = serializers.ChoiceField(choices=Cause.choices)
    limit = MoneyField()
    used = MoneyField(help_text="Owed with the invoice.")
    reason = serializers.CharField()


class StageReachedOut(StageChangeOut):
    """A stage that was reached just now, with what there is to be warned of."""

    credit_warnings = serializers.SerializerMethodField()

    @extend_schema_field(CreditWarningOut(many=True))
    def get_credit_warnings(self, change: StageChange) -> Any:
        """Asked only where an invoice was issued: one more statement for one answer."""
        won = change.to_stage == Stage.WON
        overruns = overruns_of_deals(deal_ids=[change.deal_id]) if won else []
        return CreditWarningOut(overruns, many=True).data


class StageChangeIn(StrictSerializer):
    to_stage = serializers.ChoiceField(choices=Stage.choices)
    occurred_on = DayField(required=False, help_text="Today if left out.")
    comment = serializers.CharField(max_length=500, required=False, allow_blank=True)
    value = MoneyField(minimum=1, required=False, help_text="Only with the stage won.")
    client = serializers.UUIDField(
        source="client_id", required=False, help_text="Only with the stage won."
    )


class ActivityOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    deal = serializers.UUIDField(source="deal_id")
    kind = serializers.ChoiceField(choices=ActivityKind.choices)
    text = serializers.CharField()
    happened_at = serializers.DateTimeField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()


class ActivityIn(StrictSerializer):
    kind = serializers.ChoiceField(choices=ActivityKind.choices)
    text = serializers.CharField(max_length=2000)
    happened_at = serializers.DateTimeField(required=False, help_text="Now if left out.")
