"""What the API takes and shows of sales, operators, batches and reconciliations."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.kernel.api.fields import CurrencyField, MoneyField
from shared_apps.kernel.api.serializers import StrictSerializer
from tenant_apps.wallets.models import (
    BatchRowState,
    BatchState,
    MatchResult,
    Operator,
    RefundOrigin,
    RefundState,
    SaleState,
)
from tenant_apps.wallets.providers import Outcome

PREFIX = r"^\+[1-9][0-9]{0,14}$"
PREFIX_REFUSED: dict[str, Any] = {
    "invalid": "A prefix is a plus and the first digits of the number in full, such as +25471."
}

FINAL_OUTCOMES = (
    (Outcome.DELIVERED.value, "Delivered"),
    (Outcome.REFUSED.value, "Refused"),
    (Outcome.REVERSED.value, "Reversed"),
)


class OperatorIn(StrictSerializer):
    code = serializers.SlugField(max_length=24)
    name = serializers.CharField(max_length=120)
    prefixes = serializers.ListField(
        child=serializers.RegexField(PREFIX, max_length=16, error_messages=PREFIX_REFUSED),
        max_length=200,
        allow_empty=False,
    )


class OperatorChangeIn(StrictSerializer):
    """`prefixes` are all that the operator has from now on."""

    name = serializers.CharField(max_length=120, required=False)
    is_active = serializers.BooleanField(required=False)
    prefixes = serializers.ListField(
        child=serializers.RegexField(PREFIX, max_length=16, error_messages=PREFIX_REFUSED),
        max_length=200,
        required=False,
    )


class OperatorOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    is_active = serializers.BooleanField()
    prefixes = serializers.SerializerMethodField()
    version = serializers.IntegerField()

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_prefixes(self, operator: Operator) -> list[str]:
        return sorted(row.prefix for row in operator.prefixes.all())


class ChargeSaleIn(StrictSerializer):
    """`phone` in international form, or as people of the organization's country write it."""

    wallet = serializers.UUIDField(source="wallet_id")
    phone = serializers.CharField(max_length=40)
    amount = MoneyField(minimum=1)


class ChargeSaleOut(serializers.Serializer[Any]):
    """`sold` and `failed` are final; of the others it is not known yet what becomes of them."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    wallet = serializers.UUIDField(source="wallet_id")
    seller = serializers.UUIDField(source="wallet.seller_id")
    phone = serializers.CharField()
    operator = serializers.CharField(source="operator.code")
    amount = MoneyField()
    sold_on = serializers.DateField()
    state = serializers.ChoiceField(choices=SaleState.choices)
    charge_reference = serializers.UUIDField()
    provider_reference = serializers.CharField()
    reason = serializers.CharField()
    sold_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    settled_at = serializers.DateTimeField(allow_null=True)
    refunded_at = serializers.DateTimeField(
        allow_null=True, help_text="When the credit was given back; the sale stays `sold`."
    )


class ChargeRefundIn(StrictSerializer):
    """The whole of a sale; `reason` is what the other person decides by."""

    sale = serializers.UUIDField(source="sale_id")
    reason = serializers.CharField(max_length=500)


class ChargeRefundApprovalIn(StrictSerializer):
    remark = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class ChargeRefundDenialIn(StrictSerializer):
    reason = serializers.CharField(max_length=1000)


class ChargeRefundOut(serializers.Serializer[Any]):
    """`origin` tells whether somebody asked for it or the provider reversed the charge."""

    id = serializers.UUIDField()
    reference = serializers.CharField()
    sale = serializers.UUIDField(source="sale_id")
    sale_reference = serializers.CharField(source="sale.reference")
    wallet = serializers.UUIDField(source="sale.wallet_id")
    seller = serializers.UUIDField(source="sale.wallet.seller_id")
    amount = MoneyField()
    origin = serializers.ChoiceField(choices=RefundOrigin.choices)
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=RefundState.choices)
    remark = serializers.CharField()
    effective_on = serializers.DateField(allow_null=True)
    requested_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ChargeCallbackIn(StrictSerializer):
    """What a provider says of a reference; see docs/charge-provider.md."""

    organization = serializers.UUIDField(source="organization_id")
    reference = serializers.UUIDField()
    outcome = serializers.ChoiceField(choices=FINAL_OUTCOMES)
    provider_reference = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default=""
    )
    reason = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class ChargeBatchIn(StrictSerializer):
    """A CSV in UTF-8 whose first line names the columns `phone` and `amount`."""

    wallet = serializers.UUIDField(source="wallet_id")
    file = serializers.FileField(max_length=255, allow_empty_file=True)


class ChargeBatchOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    wallet = serializers.UUIDField(source="wallet_id")
    rows_count = serializers.IntegerField()
    waiting = serializers.IntegerField()
    placed = serializers.IntegerField()
    refused = serializers.IntegerField()
    state = serializers.ChoiceField(choices=BatchState.choices)
    uploaded_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ChargeBatchRowOut(serializers.Serializer[Any]):
    """`code` and `detail` say why a row was refused; a placed one shows how its sale stands."""

    line = serializers.IntegerField()
    phone = serializers.CharField()
    amount = serializers.CharField()
    state = serializers.ChoiceField(choices=BatchRowState.choices)
    code = serializers.CharField()
    detail = serializers.CharField()
    sale = serializers.UUIDField(source="sale_id", allow_null=True)
    sale_reference = serializers.CharField(source="sale.reference", default=None, allow_null=True)
    sale_state = serializers.ChoiceField(
        choices=SaleState.choices, source="sale.state", default=None, allow_null=True
    )


class ReconciliationIn(StrictSerializer):
    """A CSV in UTF-8 whose first line names `reference`, `phone`, `amount`, `status`, `time`."""

    file = serializers.FileField(max_length=255, allow_empty_file=True)
    currency = CurrencyField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class ReconciliationOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    file_name = serializers.CharField()
    sha256 = serializers.CharField()
    currency = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    matched = serializers.IntegerField()
    missing_here = serializers.IntegerField()
    missing_there = serializers.IntegerField()
    amount_differs = serializers.IntegerField()
    status_differs = serializers.IntegerField()
    repeated = serializers.IntegerField()
    unreadable = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class ReconciledRowOut(serializers.Serializer[Any]):
    line = serializers.IntegerField(allow_null=True)
    result = serializers.ChoiceField(choices=MatchResult.choices)
    charge_reference = serializers.CharField()
    phone = serializers.CharField()
    amount = MoneyField(allow_null=True)
    status = serializers.CharField()
    charged_at = serializers.DateTimeField(allow_null=True)
    sale = serializers.UUIDField(source="sale_id", allow_null=True)
    detail = serializers.CharField()
