"""What the API of the books takes and shows."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.kernel.api.serializers import (
    DayField,
    InstantField,
    MoneyField,
    StrictSerializer,
)
from tenant_apps.ledger.models import (
    METADATA_KEY_LENGTH,
    METADATA_KEYS_AT_MOST,
    METADATA_VALUE_LENGTH,
    STRIPES_AT_MOST,
    Account,
    AccountKind,
    CreditLine,
    CreditLineEntry,
    FiscalPeriod,
    Hold,
    HoldEntry,
    PostingRule,
    PostingRuleLine,
    Side,
    StatementLine,
    Transfer,
    TransferKind,
)

MAX_LINES = 500
_METADATA_KEY = re.compile(rf"[A-Za-z0-9_.-]{{1,{METADATA_KEY_LENGTH}}}")


class LedgerAccountOut(serializers.ModelSerializer[Account]):
    balance = MoneyField(source="posted", minimum=None, allow_null=True, read_only=True)
    held = MoneyField(allow_null=True, read_only=True)

    class Meta:
        model = Account
        fields = (
            "id",
            "code",
            "name",
            "kind",
            "normal_side",
            "currency",
            "subledger",
            "subledger_id",
            "parent_id",
            "stripes",
            "status",
            "balance",
            "held",
            "created_at",
        )
        read_only_fields = fields


class AccountIn(StrictSerializer):
    code = serializers.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9.-]{0,31}\Z",
        error_messages={
            "invalid": "A code has 1 to 32 letters, digits, dots and dashes, and begins with a"
            " letter or digit."
        },
    )
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=AccountKind.choices)


class StripesIn(StrictSerializer):
    stripes = serializers.IntegerField(
        min_value=2, max_value=STRIPES_AT_MOST, help_text="How many balances each account gets."
    )


class AccountNameOut(serializers.ModelSerializer[Account]):
    class Meta:
        model = Account
        fields = ("id", "code", "name", "subledger_id")
        read_only_fields = fields


class StatementLineOut(serializers.ModelSerializer[StatementLine]):
    """A transfer as the account sees it, and the balance that it left."""

    amount = MoneyField(read_only=True)
    balance = MoneyField(minimum=None, read_only=True)
    other_account = AccountNameOut(read_only=True)

    class Meta:
        model = StatementLine
        fields = (
            "transfer_id",
            "journal_id",
            "version",
            "side",
            "amount",
            "balance",
            "other_account",
            "effective_on",
            "posted_at",
            "kind",
            "rule",
            "source_type",
            "source_id",
            "memo",
        )
        read_only_fields = fields


class TransferOut(serializers.ModelSerializer[Transfer]):
    debit_account_id = serializers.UUIDField(read_only=True)
    credit_account_id = serializers.UUIDField(read_only=True)
    amount = MoneyField(read_only=True)
    debit_balance = MoneyField(
        source="debit_balance_after", minimum=None, allow_null=True, read_only=True
    )
    credit_balance = MoneyField(
        source="credit_balance_after", minimum=None, allow_null=True, read_only=True
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


class HoldOut(serializers.ModelSerializer[Hold]):
    """Funds of an account that are or were reserved: what of them was used and given back."""

    account = AccountNameOut(read_only=True)
    amount = MoneyField(read_only=True)
    captured = MoneyField(read_only=True)
    released = MoneyField(read_only=True)

    class Meta:
        model = Hold
        fields = (
            "id",
            "account",
            "amount",
            "captured",
            "released",
            "state",
            "reserved_at",
            "expires_at",
            "source_type",
            "source_id",
            "actor_id",
            "memo",
        )
        read_only_fields = fields


class HoldEntryOut(serializers.ModelSerializer[HoldEntry]):
    """A step in a hold's life; `held` is what the account held in all, right after it."""

    amount = MoneyField(read_only=True)
    held = MoneyField(read_only=True)

    class Meta:
        model = HoldEntry
        fields = ("number", "kind", "amount", "held", "journal_id", "recorded_at", "actor_id")
        read_only_fields = fields


class CreditLineOut(serializers.ModelSerializer[CreditLine]):
    """What a subject may owe in a currency, owes (`used`) and has reserved (`held`).

    Without a limit, `limit` and `available` are null: it is only counted. `available` is below
    zero where more is in use than the limit allows.
    """

    limit = MoneyField(allow_null=True, read_only=True)
    used = MoneyField(read_only=True)
    held = MoneyField(read_only=True)
    available = MoneyField(minimum=None, allow_null=True, read_only=True)

    class Meta:
        model = CreditLine
        fields = (
            "id",
            "subject_type",
            "subject_id",
            "currency",
            "limit",
            "used",
            "held",
            "available",
        )
        read_only_fields = fields


class CreditLineEntryOut(serializers.ModelSerializer[CreditLineEntry]):
    """One change of a credit line: who made it, when and for what, and how it left the line.

    `used_change` and `held_change` are what it added to `used` and `held`, below zero where it
    gave back. `limit`, `used`, `held` and `available` are as the line stood right after it.
    """

    used_change = MoneyField(source="used_by", minimum=None, read_only=True)
    held_change = MoneyField(source="held_by", minimum=None, read_only=True)
    limit = MoneyField(allow_null=True, read_only=True)
    used = MoneyField(read_only=True)
    held = MoneyField(read_only=True)
    available = MoneyField(minimum=None, allow_null=True, read_only=True)

    class Meta:
        model = CreditLineEntry
        fields = (
            "id",
            "version",
            "kind",
            "used_change",
            "held_change",
            "limit",
            "used",
            "held",
            "available",
            "effective_on",
            "recorded_at",
            "source_type",
            "source_id",
            "actor_id",
            "reason",
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


class TimesQuery(serializers.Serializer[Any]):
    """The two times of a question: without them, the present."""

    as_of = DayField(required=False, help_text="What took effect until the end of this day.")
    known_at = InstantField(
        required=False,
        help_text="As it was known at this instant, which is over. Answers never change later.",
    )


class TrialBalanceRowOut(serializers.Serializer[Any]):
    code = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    kind = serializers.CharField(read_only=True)
    currency = serializers.CharField(read_only=True)
    debit = MoneyField(read_only=True)
    credit = MoneyField(read_only=True)


class TrialBalanceTotalOut(serializers.Serializer[Any]):
    currency = serializers.CharField(read_only=True)
    debit = MoneyField(read_only=True)
    credit = MoneyField(read_only=True)
    difference = MoneyField(minimum=None, read_only=True)


class TrialBalanceOut(serializers.Serializer[Any]):
    as_of = serializers.DateField(allow_null=True, read_only=True)
    known_at = serializers.DateTimeField(allow_null=True, read_only=True)
    rows = TrialBalanceRowOut(many=True, read_only=True)
    totals = TrialBalanceTotalOut(many=True, read_only=True)


class PostingRuleLineOut(serializers.ModelSerializer[PostingRuleLine]):
    amount = serializers.CharField(source="amount_name", read_only=True)
    debit = serializers.SerializerMethodField()
    credit = serializers.SerializerMethodField()

    class Meta:
        model = PostingRuleLine
        fields = ("position", "amount", "debit", "credit")
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_debit(self, line: PostingRuleLine) -> str:
        return line.debit_account.code

    @extend_schema_field(serializers.CharField())
    def get_credit(self, line: PostingRuleLine) -> str:
        return line.credit_account.code


class PostingRuleOut(serializers.ModelSerializer[PostingRule]):
    lines = PostingRuleLineOut(many=True, read_only=True)

    class Meta:
        model = PostingRule
        fields = ("id", "code", "name", "lines")
        read_only_fields = fields


class FiscalPeriodOut(serializers.ModelSerializer[FiscalPeriod]):
    class Meta:
        model = FiscalPeriod
        fields = (
            "id",
            "fiscal_year",
            "number",
            "starts_on",
            "ends_on",
            "state",
            "closed_at",
            "closed_by_id",
        )
        read_only_fields = fields


class FiscalYearIn(StrictSerializer):
    fiscal_year = serializers.IntegerField(min_value=1900, max_value=2200)


class ReopeningIn(StrictSerializer):
    reason = serializers.CharField(max_length=500)
