"""What the API takes and shows of sellers and their credit."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.documents.links import content_link
from shared_apps.kernel import clock
from shared_apps.kernel.api.fields import CurrencyField, DayField, MoneyField
from shared_apps.kernel.api.serializers import StrictSerializer
from shared_apps.kernel.money import Money
from tenant_apps.wallets.models import DepositMethod, DepositState, SellerState, Wallet
from tenant_apps.wallets.statements import TYPES, signed
from tenants.context import current_organization


class SellerIn(StrictSerializer):
    """Either a client that is known (`party`), or the name of a new party."""

    party = serializers.UUIDField(required=False, source="party_id")
    name = serializers.CharField(max_length=200, required=False)
    email = serializers.EmailField(max_length=254, required=False)
    phone = serializers.CharField(max_length=40, required=False)
    user = serializers.UUIDField(required=False, source="user_id")
    unit = serializers.UUIDField(required=False, source="unit_id")
    may_transfer = serializers.BooleanField(required=False, allow_null=True)


class SellerChangeIn(StrictSerializer):
    user = serializers.UUIDField(required=False, allow_null=True, source="user_id")
    unit = serializers.UUIDField(required=False, source="unit_id")
    may_transfer = serializers.BooleanField(required=False, allow_null=True)


class SellerOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    party = serializers.UUIDField(source="party_id")
    name = serializers.CharField(source="party.name")
    user = serializers.UUIDField(source="user_id", allow_null=True)
    unit = serializers.UUIDField(source="unit_id")
    state = serializers.ChoiceField(choices=SellerState.choices)
    may_transfer = serializers.BooleanField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class WalletIn(StrictSerializer):
    seller = serializers.UUIDField(source="seller_id")
    currency = CurrencyField()


class WalletChangeIn(StrictSerializer):
    """Null takes a limit or the threshold away."""

    sale_limit = MoneyField(required=False, allow_null=True)
    daily_limit = MoneyField(required=False, allow_null=True)
    low_balance = MoneyField(required=False, allow_null=True)


class WalletOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    seller = serializers.UUIDField(source="seller_id")
    seller_reference = serializers.CharField(source="seller.reference")
    currency = serializers.CharField()
    balance = MoneyField()
    held = MoneyField()
    available = MoneyField()
    sale_limit = MoneyField(allow_null=True)
    daily_limit = MoneyField(allow_null=True)
    sold_today = serializers.SerializerMethodField(
        help_text="What counts against the daily limit, running sales included."
    )
    low_balance = MoneyField(allow_null=True)
    low_since = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()

    @extend_schema_field(MoneyField())
    def get_sold_today(self, wallet: Wallet) -> dict[str, str]:
        is_today = wallet.sold_on == clock.today(current_organization().time_zone)
        return Money(wallet.sold_minor if is_today else 0, wallet.currency).to_json()


class WalletPolicyIn(StrictSerializer):
    transfers_allowed = serializers.BooleanField()


class WalletPolicyOut(serializers.Serializer[Any]):
    transfers_allowed = serializers.BooleanField()
    version = serializers.IntegerField()


class DepositIn(StrictSerializer):
    wallet = serializers.UUIDField(source="wallet_id")
    method = serializers.ChoiceField(choices=DepositMethod.choices)
    amount = MoneyField(minimum=1)
    paid_on = DayField()
    external_reference = serializers.CharField(
        max_length=100, required=False, allow_blank=True, default=""
    )
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")


class DepositProofIn(StrictSerializer):
    file = serializers.FileField(max_length=255, allow_empty_file=True)


class DepositApprovalIn(StrictSerializer):
    remark = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class DepositDenialIn(StrictSerializer):
    reason = serializers.CharField(max_length=1000)


class DepositProofOut(serializers.Serializer[Any]):
    """A stored file, and where it can be read for a quarter of an hour without signing in."""

    id = serializers.UUIDField()
    file_name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()
    link = serializers.SerializerMethodField()

    @extend_schema_field({"type": "string", "format": "uri-reference"})
    def get_link(self, document: Any) -> str:
        return content_link(document)


class DepositOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    wallet = serializers.UUIDField(source="wallet_id")
    seller = serializers.UUIDField(source="wallet.seller_id")
    seller_reference = serializers.CharField(source="wallet.seller.reference")
    method = serializers.ChoiceField(choices=DepositMethod.choices)
    amount = MoneyField()
    paid_on = serializers.DateField()
    effective_on = serializers.DateField(allow_null=True)
    external_reference = serializers.CharField()
    note = serializers.CharField()
    proof = DepositProofOut(allow_null=True)
    state = serializers.ChoiceField(choices=DepositState.choices)
    reason = serializers.CharField()
    requested_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    decided_by = serializers.UUIDField(source="decided_by_id", allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class WalletTransferIn(StrictSerializer):
    wallet = serializers.UUIDField(source="wallet_id")
    to_seller = serializers.CharField(max_length=24)
    amount = MoneyField(minimum=1)
    note = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")


class WalletTransferOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    reference = serializers.CharField()
    wallet = serializers.UUIDField(source="from_wallet_id")
    from_seller = serializers.CharField(source="from_wallet.seller.reference")
    to_seller = serializers.CharField(source="to_wallet.seller.reference")
    amount = MoneyField()
    effective_on = serializers.DateField()
    note = serializers.CharField()
    transferred_by = serializers.UUIDField(source="created_by_id", allow_null=True)
    created_at = serializers.DateTimeField()


class HistoryOut(serializers.Serializer[Any]):
    """`amount` is above zero where the credit rose and below where it fell."""

    transfer = serializers.UUIDField(source="transfer_id")
    type = serializers.ChoiceField(choices=TYPES, source="entry_type")
    reference = serializers.CharField(source="memo")
    number = serializers.CharField(help_text="The number that was charged; empty for others.")
    amount = serializers.SerializerMethodField()
    balance = MoneyField()
    user = serializers.UUIDField(source="actor_id", allow_null=True)
    source_id = serializers.UUIDField()
    effective_on = serializers.DateField()
    posted_at = serializers.DateTimeField()

    @extend_schema_field(MoneyField())
    def get_amount(self, line: Any) -> dict[str, str]:
        amount: Money = signed(line)
        return amount.to_json()


class StatementQuery(StrictSerializer):
    day_from = DayField(required=False)
    day_to = DayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("day_from"), attrs.get("day_to")
        if first is not None and last is not None and last < first:
            detail = f"It is not before {first}, the first day."
            raise serializers.ValidationError({"day_to": detail})
        return attrs
