"""What the API takes and shows of journals: their transfers, and entries made by hand."""

import re
from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.serializers import DayField, MoneyField, StrictSerializer
from tenant_apps.ledger.models import (
    METADATA_KEY_LENGTH,
    METADATA_KEYS_AT_MOST,
    METADATA_VALUE_LENGTH,
    Side,
    Transfer,
    TransferKind,
)

MAX_LINES = 500
_METADATA_KEY = re.compile(rf"[A-Za-z0-9_.-]{{1,{METADATA_KEY_LENGTH}}}")


class TransferOut(serializers.ModelSerializer[Transfer]):
    debit_account_id = serializers.UUIDField(read_only=True)
    credit_account_id = serializers.UUIDField(read_only=True)
    amount = MoneyField(read_only=True)
    debit_balance = MoneyField(
        source="debit_balance_after",
        minimum=None,
        allow_null=True,
        read_only=True,
        help_text="What it left; of a striped account, what it left in that stripe.",
    )
    credit_balance = MoneyField(
        source="credit_balance_after",
        minimum=None,
        allow_null=True,
        read_only=True,
        help_text="What it left; of a striped account, what it left in that stripe.",
    )

    class Meta:
        model = Transfer
        fields = (
            "id",
            "journal_id",
            "leg",
            "debit_account_id",
            "credit_account_id",
            "amount",
            "debit_balance",
            "credit_balance",
            "effective_on",
            "posted_at",
            "kind",
            "rule",
            "source_type",
            "source_id",
            "actor_id",
            "reverses_id",
            "memo",
        )
        read_only_fields = fields


class JournalOut(serializers.Serializer[Transfer]):
    """A journal, read from its first leg, with all its legs."""

    id = serializers.UUIDField(source="journal_id", read_only=True)
    kind = serializers.ChoiceField(choices=TransferKind.choices, read_only=True)
    rule = serializers.CharField(read_only=True)
    source_type = serializers.CharField(read_only=True)
    source_id = serializers.UUIDField(read_only=True)
    effective_on = serializers.DateField(read_only=True)
    posted_at = serializers.DateTimeField(read_only=True)
    actor_id = serializers.UUIDField(allow_null=True, read_only=True)
    memo = serializers.CharField(read_only=True)
    is_reversed = serializers.BooleanField(read_only=True)
    reverses_journal_id = serializers.UUIDField(allow_null=True, read_only=True)
    metadata = serializers.DictField(child=serializers.CharField(), read_only=True)
    legs = TransferOut(many=True, read_only=True)


class JournalLineIn(StrictSerializer):
    account_code = serializers.CharField(max_length=32)
    subledger_id = serializers.UUIDField(allow_null=True, default=None)
    side = serializers.ChoiceField(choices=Side.choices)
    amount = MoneyField(minimum=1)


class MetadataField(serializers.DictField):
    """Up to 20 keys of the caller's own, with texts as values."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=serializers.CharField(max_length=METADATA_VALUE_LENGTH, allow_blank=True),
            **options,
        )

    def to_internal_value(self, data: Any) -> dict[str, str]:
        """The keys and values.

        :raises serializers.ValidationError: too many, or a key that is none.
        """
        values: dict[str, str] = super().to_internal_value(data)
        if len(values) > METADATA_KEYS_AT_MOST:
            raise serializers.ValidationError(
                f"At most {METADATA_KEYS_AT_MOST} keys are kept; these are {len(values)}."
            )
        for key in values:
            if not _METADATA_KEY.fullmatch(key):
                raise serializers.ValidationError(
                    f"A key has 1 to {METADATA_KEY_LENGTH} letters, digits, points, hyphens and"
                    " underscores."
                )
        return values


class JournalIn(StrictSerializer):
    effective_on = DayField()
    memo = serializers.CharField(max_length=200)
    lines = serializers.ListField(child=JournalLineIn(), min_length=2, max_length=MAX_LINES)
    metadata = MetadataField(required=False)


class ReversalIn(StrictSerializer):
    effective_on = DayField()
    memo = serializers.CharField(max_length=200, allow_blank=True, default="")


class OpeningLineIn(StrictSerializer):
    account_code = serializers.CharField(max_length=32)
    subledger_id = serializers.UUIDField(allow_null=True, default=None)
    amount = MoneyField(minimum=None)


class OpeningBalancesIn(StrictSerializer):
    effective_on = DayField()
    lines = serializers.ListField(child=OpeningLineIn(), min_length=1, max_length=MAX_LINES)


class CurrencyExchangeIn(StrictSerializer):
    """Two amounts say the rate; a fee is in the sold currency."""

    from_account = serializers.CharField(max_length=32)
    to_account = serializers.CharField(max_length=32)
    sold = MoneyField(minimum=1)
    bought = MoneyField(minimum=1)
    fee = MoneyField(minimum=1, required=False)
    effective_on = DayField()
    memo = serializers.CharField(max_length=200, required=False, default="")
