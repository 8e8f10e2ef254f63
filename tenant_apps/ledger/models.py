"""The books: accounts, their balances, transfers between them, posting rules and periods.

Accounts are cold and balances are hot: no foreign key points at a balance, and transfers carry
no checked foreign key, because a check would lock the very rows that every posting shares. The
posting functions hold those references instead, and `verify_books` reads them all.
"""

from collections.abc import Iterable
from datetime import date
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.ids import ids_near
from shared_apps.kernel.models import Record, RecordQuerySet
from shared_apps.kernel.money import Money


class AccountKind(models.TextChoices):
    ASSET = "asset", "Asset"
    LIABILITY = "liability", "Liability"
    EQUITY = "equity", "Equity"
    INCOME = "income", "Income"
    EXPENSE = "expense", "Expense"


class Side(models.TextChoices):
    DEBIT = "debit", "Debit"
    CREDIT = "credit", "Credit"


class AccountStatus(models.TextChoices):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class TransferKind(models.TextChoices):
    POSTING = "posting", "Posting"
    MANUAL = "manual", "Manual journal"
    OPENING = "opening", "Opening balance"
    REVERSAL = "reversal", "Reversal"


class PeriodState(models.TextChoices):
    OPEN = "open", "Open"
    CLOSED = "closed", "Closed"


class AccountQuerySet(RecordQuerySet["Account"]):
    def chart(self) -> Self:
        """The lines of the chart of accounts, which carry no money themselves."""
        return self.filter(currency__isnull=True)

    def with_balance(self) -> Self:
        """The accounts that carry money."""
        return self.filter(currency__isnull=False)


class Account(Record):
    """A line of the chart, or an account under it in one currency (and for one sub-ledger).

    A line of the chart has no currency. Under it stand the accounts that carry money: one per
    currency and, where the line keeps a sub-ledger, one per party or user. They are opened when
    first posted to, with ids derived from what they are, so that parallel openers agree.
    """

    code = models.CharField(max_length=32)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=12, choices=AccountKind.choices)
    normal_side = models.CharField(max_length=6, choices=Side.choices)
    subledger = models.CharField(max_length=16, blank=True, default="")
    currency = CurrencyField(null=True, blank=True)
    subledger_id = models.UUIDField(null=True, blank=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )
    lock_rank = models.PositiveSmallIntegerField(default=0)
    floor = MinorUnitsField(null=True, blank=True)
    status = models.CharField(
        max_length=8, choices=AccountStatus.choices, default=AccountStatus.OPEN
    )

    objects = AccountQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = (("close_account", "Can close and reopen a line of the chart"),)
        ordering = ("code", "currency", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["code", "currency", "subledger_id"],
                nulls_distinct=False,
                name="ledger_account_is_one",
            ),
            models.CheckConstraint(
                name="ledger_account_under_chart",
                condition=Q(currency__isnull=True, subledger_id__isnull=True)
                | Q(currency__isnull=False, parent__isnull=False),
            ),
            models.CheckConstraint(
                name="ledger_account_subledger",
                condition=Q(subledger="", subledger_id__isnull=True)
                | ~Q(subledger="") & (Q(currency__isnull=True) | Q(subledger_id__isnull=False)),
            ),
        )
        indexes = (models.Index(fields=["subledger_id"], name="ledger_account_subledger_id"),)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def is_chart_line(self) -> bool:
        return self.currency is None

    @property
    def posted(self) -> Money | None:
        """What it holds now, positive on its normal side; None for a line of the chart.

        It reads `balances`, which lists fetch beforehand.
        """
        if self.currency is None:
            return None
        return Money(sum(balance.posted for balance in self.balances.all()), self.currency)


class Balance(models.Model):
    """What an account holds now, in minor units, positive on the account's normal side.

    Hot: the posting functions alone change it. `stripe` lets one account spread over rows;
    `held` and `floor` bound what may leave. What a posting must know of the account stands here
    too (`direction` is 1 where a debit raises it, -1 where a credit does), so that it reads no
    other row; none of it changes but `is_open`.
    """

    read_only = True

    pk = models.CompositePrimaryKey("account", "stripe")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="balances"
    )
    stripe = models.PositiveSmallIntegerField(default=0)
    posted = MinorUnitsField(default=0)
    held = MinorUnitsField(default=0)
    floor = MinorUnitsField(null=True)
    version = models.BigIntegerField(default=0)
    direction = models.SmallIntegerField()
    currency = CurrencyField()
    is_open = models.BooleanField(default=True)

    class Meta:
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="ledger_balance_direction", condition=Q(direction__in=(1, -1))
            ),
            models.CheckConstraint(name="ledger_balance_held", condition=Q(held__gte=0)),
            models.CheckConstraint(
                name="ledger_balance_floor",
                condition=Q(floor__isnull=True) | Q(posted__gte=F("floor") + F("held")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}/{self.stripe}"


class TransferQuerySet(RecordQuerySet["Transfer"]):
    """Ids begin as their source's and journal's do, so the primary key finds both."""

    def of_source(self, source_id: UUID) -> Self:
        return self.filter(id__range=ids_near(source_id), source_id=source_id)

    def of_journal(self, journal_id: UUID) -> Self:
        return self.of_journals([journal_id]).order_by("leg")

    def of_journals(self, journal_ids: Iterable[UUID]) -> Self:
        wanted = set(journal_ids)
        near = Q()
        for neighbourhood in {ids_near(journal_id) for journal_id in wanted}:
            near |= Q(id__range=neighbourhood)
        return self.filter(near, journal_id__in=wanted)

    def touching(self, account_id: UUID) -> Self:
        return self.filter(Q(debit_account_id=account_id) | Q(credit_account_id=account_id))


class Transfer(models.Model):
    """Money that moved from one account to another: one row, so the books cannot be uneven.

    For each side it keeps the version of the balance it made and the resulting balance; a side
    that is posted later in bulk would leave them null. Append-only: an error is put right by a
    row that reverses it. Its id and its journal's begin with the 48 bits of the source's id that
    say when it was made: lists are in that order, and the primary key alone finds the transfers
    of a source or a journal.
    """

    read_only = True
    append_only = True

    id = models.UUIDField(primary_key=True, editable=False)
    request_hash = models.BinaryField(max_length=32)
    journal_id = models.UUIDField()
    leg = models.PositiveSmallIntegerField()
    debit_account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    debit_stripe = models.PositiveSmallIntegerField(default=0)
    debit_version = models.BigIntegerField(null=True)
    debit_balance = MinorUnitsField(null=True)
    credit_account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    credit_stripe = models.PositiveSmallIntegerField(default=0)
    credit_version = models.BigIntegerField(null=True)
    credit_balance = MinorUnitsField(null=True)
    amount_minor = MinorUnitsField()
    currency = CurrencyField()
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=TransferKind.choices)
    rule = models.CharField(max_length=64, blank=True)
    source_type = models.CharField(max_length=64)
    source_id = models.UUIDField()
    actor_id = models.UUIDField(null=True)
    reverses_id = models.UUIDField(null=True)
    memo = models.CharField(max_length=200, blank=True)

    # The journal's legs, where a selector has put them on its first leg.
    legs: list["Transfer"]

    amount = MoneyOf("amount_minor", "currency")
    debit_balance_after = MoneyOf("debit_balance", "currency")
    credit_balance_after = MoneyOf("credit_balance", "currency")

    objects = TransferQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        permissions = (
            ("post_manual_journal", "Can post a manual journal"),
            ("reverse_journal", "Can reverse a manual journal or opening balances"),
            ("post_opening_balances", "Can post opening balances"),
        )
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=["debit_account", "debit_stripe", "debit_version"],
                name="ledger_transfer_debit_version",
            ),
            models.UniqueConstraint(
                fields=["credit_account", "credit_stripe", "credit_version"],
                name="ledger_transfer_credit_version",
            ),
            models.UniqueConstraint(
                fields=["reverses_id"],
                condition=Q(reverses_id__isnull=False),
                name="ledger_transfer_reversed_once",
            ),
            models.CheckConstraint(name="ledger_transfer_amount", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="ledger_transfer_two_accounts",
                condition=~Q(debit_account=F("credit_account")),
            ),
            models.CheckConstraint(
                name="ledger_transfer_reversal",
                condition=Q(kind=TransferKind.REVERSAL, reverses_id__isnull=False)
                | ~Q(kind=TransferKind.REVERSAL) & Q(reverses_id__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.source_type} {self.rule or self.kind} {self.leg}"


class StatementLine(models.Model):
    """One transfer as one of its two accounts sees it: a database view over the transfers.

    Lines come in the order of the account's versions, each with the balance that it left.
    """

    read_only = True

    # Unique among the lines of one account; a transfer has a line in two statements.
    transfer_id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    stripe = models.PositiveSmallIntegerField()
    version = models.BigIntegerField()
    side = models.CharField(max_length=6, choices=Side.choices)
    amount_minor = MinorUnitsField()
    balance_minor = MinorUnitsField()
    currency = CurrencyField()
    other_account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    journal_id = models.UUIDField()
    effective_on = models.DateField()
    posted_at = models.DateTimeField()
    kind = models.CharField(max_length=12, choices=TransferKind.choices)
    rule = models.CharField(max_length=64)
    source_type = models.CharField(max_length=64)
    source_id = models.UUIDField()
    memo = models.CharField(max_length=200)

    amount = MoneyOf("amount_minor", "currency")
    balance = MoneyOf("balance_minor", "currency")

    class Meta:
        managed = False
        db_table = "ledger_statementline"
        default_permissions = ()
        ordering = ("-version", "transfer_id")

    def __str__(self) -> str:
        return f"{self.account_id} {self.version}"


class PostingRule(Record):
    """How one kind of business event is written into the books, by name."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        default_permissions = ("view",)
        ordering = ("code",)

    def __str__(self) -> str:
        return self.code


class PostingRuleLineQuerySet(RecordQuerySet["PostingRuleLine"]):
    def using_account(self, account: Account) -> Self:
        return self.filter(Q(debit_account=account) | Q(credit_account=account))


class PostingRuleLine(Record):
    """One leg of a rule: which named amount goes from which line of the chart to which."""

    rule = models.ForeignKey(PostingRule, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    amount_name = models.CharField(max_length=32)
    debit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    credit_account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")

    objects = PostingRuleLineQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        ordering = ("rule", "position")
        constraints = (
            models.UniqueConstraint(
                fields=["rule", "position"], name="ledger_postingruleline_position"
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.position}"


class FiscalPeriodQuerySet(RecordQuerySet["FiscalPeriod"]):
    def containing(self, day: date) -> Self:
        return self.filter(starts_on__lte=day, ends_on__gte=day)


class FiscalPeriod(Record):
    """A month of a fiscal year. Nothing may be posted with effect in a closed one."""

    fiscal_year = models.PositiveSmallIntegerField()
    number = models.PositiveSmallIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    state = models.CharField(max_length=8, choices=PeriodState.choices, default=PeriodState.OPEN)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by_id = models.UUIDField(null=True, blank=True)

    objects = FiscalPeriodQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = (
            ("close_fiscalperiod", "Can close a fiscal period"),
            ("reopen_fiscalperiod", "Can reopen a fiscal period"),
        )
        ordering = ("starts_on",)
        constraints = (
            models.UniqueConstraint(fields=["starts_on"], name="ledger_fiscalperiod_start"),
            models.UniqueConstraint(
                fields=["fiscal_year", "number"], name="ledger_fiscalperiod_number"
            ),
            models.CheckConstraint(
                name="ledger_fiscalperiod_order", condition=Q(ends_on__gte=F("starts_on"))
            ),
        )
        indexes = (
            models.Index(
                fields=["ends_on", "starts_on"],
                condition=Q(state=PeriodState.CLOSED),
                name="ledger_fiscalperiod_closed",
            ),
        )

    def __str__(self) -> str:
        return f"{self.fiscal_year}/{self.number}"
