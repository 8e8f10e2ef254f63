"""What the API takes and shows of commissions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.fields import DayField, MoneyField
from shared_apps.kernel.api.serializers import StrictSerializer
from tenant_apps.commissions.models import CommissionState, Missing


class CommissionPlanIn(StrictSerializer):
    name = serializers.CharField(max_length=120)
    percent = serializers.DecimalField(
        max_digits=7, decimal_places=4, min_value=Decimal(0), max_value=Decimal(100)
    )
    starts_on = DayField()


class CommissionPlanOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    percent = serializers.DecimalField(max_digits=7, decimal_places=4)
    starts_on = serializers.DateField()
    created_at = serializers.DateTimeField()


class CommissionOut(serializers.Serializer[Any]):
    """`amount` and `net` are null while it waits for what is `missing`.

    Plan and rate are those of `earned_on`; it stands in books and figures on `effective_on`, which
    is later where the period was closed before it accrued.
    """

    id = serializers.UUIDField()
    owner = serializers.UUIDField(source="owner_id")
    owner_name = serializers.CharField(source="owner.full_name")
    deal = serializers.UUIDField(source="deal_id")
    deal_reference = serializers.CharField(source="deal.reference")
    payment = serializers.UUIDField(source="payment_id")
    payment_reference = serializers.CharField(source="payment.reference")
    invoice = serializers.UUIDField(source="invoice_id")
    invoice_number = serializers.CharField(source="invoice.number")
    plan = serializers.UUIDField(source="plan_id", allow_null=True)
    state = serializers.ChoiceField(choices=CommissionState.choices)
    missing = serializers.ChoiceField(choices=Missing.choices, allow_blank=True)
    collected = MoneyField()
    net = MoneyField(allow_null=True)
    amount = MoneyField(allow_null=True)
    currency = serializers.CharField()
    earned_on = serializers.DateField()
    effective_on = serializers.DateField()
    accrued_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class StepOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    formula = serializers.CharField()
    result = serializers.CharField()


class BasisOut(serializers.Serializer[Any]):
    """`rate` is exact: a fraction of whole numbers."""

    net = MoneyField()
    gross = MoneyField()
    before = MoneyField()
    after = MoneyField()
    percent = serializers.DecimalField(max_digits=7, decimal_places=4)
    rate = serializers.CharField(source="rate_text")
    currency = serializers.CharField()


class ExplanationOut(serializers.Serializer[Any]):
    """The stored steps, and what the same basis gives when it is worked out now.

    The basis holds plan and rate of `earned_on`; the amount stands in the books on `effective_on`.
    """

    commission = serializers.UUIDField(source="commission.id")
    earned_on = serializers.DateField(source="commission.earned_on")
    effective_on = serializers.DateField(source="commission.effective_on")
    amount = MoneyField(source="commission.amount")
    basis = BasisOut()
    steps = StepOut(many=True, source="commission.steps")
    recomputed = MoneyField(source="again.commission")
    is_same = serializers.BooleanField()
