"""What the API of the books takes and shows, but for journals (journal_serializers.py)."""

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
    StatementLine,
)


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
            "deferred",
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


class DeferralIn(StrictSerializer):
    deferred = serializers.BooleanField(
        help_text="Whether what posting rules credit it with is counted later."
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
