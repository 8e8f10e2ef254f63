"""What credit limits look like from outside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import (
    CurrencyField,
    DayField,
    MoneyField,
    StrictSerializer,
)
from tenant_apps.limits.models import Cause, LimitState, Mode, OverrideState


class CreditLimitOut(serializers.Serializer[Any]):
    """A decision on a client's credit; without an amount the limit was taken away."""

    id = serializers.UUIDField()
    client = serializers.UUIDField(source="client_id")
    currency = serializers.CharField()
    amount = MoneyField(allow_null=True)
    mode = serializers.ChoiceField(choices=Mode.choices)
    effective_on = serializers.DateField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=LimitState.choices)
    in_force_at = serializers.DateTimeField(allow_null=True)
    replaced_at = serializers.DateTimeField(allow_null=True)
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()


class CreditLimitIn(StrictSerializer):
    currency = CurrencyField()
    amount = MoneyField(
        allow_null=True, help_text="In the currency; null takes the limit away, zero gives none."
    )
    mode = serializers.ChoiceField(choices=Mode.choices)
    effective_on = DayField(required=False, help_text="Today or later; today if left out.")
    reason = serializers.CharField(max_length=200)


class CreditPositionOut(serializers.Serializer[Any]):
    """How a client stands in one currency: `available` is `limit` less `used` and `held`."""

    client = serializers.UUIDField(source="client_id")
    currency = serializers.CharField()
    limit = MoneyField(allow_null=True)
    mode = serializers.CharField(help_text="warn or refuse; empty without a limit in force.")
    used = MoneyField(help_text="Owed on issued invoices.")
    held = MoneyField()
    available = MoneyField(minimum=None, allow_null=True)
    effective_on = serializers.DateField(allow_null=True)
    next_limit_on = serializers.DateField(allow_null=True)


class LimitOverrideOut(serializers.Serializer[Any]):
    """That one invoice may take a client above its limit, once."""

    id = serializers.UUIDField()
    client = serializers.UUIDField(source="client_id")
    amount = MoneyField(help_text="How far above the limit the client may stand.")
    deal = serializers.UUIDField(source="deal_id", allow_null=True)
    valid_until = serializers.DateField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=OverrideState.choices)
    owner = serializers.UUIDField(source="owner_id")
    unit = serializers.UUIDField(source="unit_id")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    used_at = serializers.DateTimeField(allow_null=True)
    used_by = serializers.UUIDField(
        source="used_by_source_id", allow_null=True, help_text="The invoice that needed it."
    )
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class LimitOverrideIn(StrictSerializer):
    client = serializers.UUIDField(source="client_id")
    amount = MoneyField(minimum=1, help_text="How far above the limit the client may stand.")
    deal = serializers.UUIDField(
        source="deal_id",
        required=False,
        help_text="Only this deal's invoice may use it; the next that needs it if left out.",
    )
    valid_until = DayField(help_text="The last day on which it may be used.")
    reason = serializers.CharField(max_length=200)


class OverrunOut(serializers.Serializer[Any]):
    """That something took a client above its limit, and why it was let pass."""

    id = serializers.UUIDField()
    client = serializers.UUIDField(source="client_id")
    source_type = serializers.CharField()
    source_id = serializers.UUIDField(help_text="The invoice or journal.")
    deal = serializers.UUIDField(source="deal_id", allow_null=True)
    cause = serializers.ChoiceField(choices=Cause.choices)
    amount = MoneyField()
    limit = MoneyField()
    used = MoneyField(help_text="Owed with it.")
    override = serializers.UUIDField(source="override_id", allow_null=True)
    reason = serializers.CharField()
    created_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
