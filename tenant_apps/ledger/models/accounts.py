"""The chart of accounts, the accounts under it, and what they hold."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import BigIntegerField, Case, F, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField
from shared_apps.kernel.models import Record, RecordQuerySet
from shared_apps.kernel.money import Money

from .deferral import DeferredCredit


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


STRIPES_AT_MOST = 64


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
    first posted to, with ids derived from what they are, so that parallel openers agree. What
    everybody posts to may spread over several balances, its stripes.
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
    stripes = models.PositiveSmallIntegerField(default=1, db_default=1)
    floor = MinorUnitsField(null=True, blank=True)
    # Of a line of the chart: whether what posting rules credit its accounts with is counted later.
    deferred = models.BooleanField(default=False, db_default=False)
    status = models.CharField(
        max_length=8, choices=AccountStatus.choices, default=AccountStatus.OPEN
    )

    objects: ClassVar = AccountQuerySet.as_manager()

    class Meta:
        default_permissions = ("view", "add")
        permissions = (
            ("close_account", "Can close and reopen a line of the chart"),
            ("stripe_account", "Can spread the accounts of a line over stripes"),
            ("defer_account", "Can let credits of a line of the chart be counted later"),
        )
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
            # Nobody decides by the balance of such an account: it has no floor, and is no party's.
            models.CheckConstraint(
                name="ledger_account_deferred",
                condition=Q(deferred=False)
                | Q(currency__isnull=True, floor__isnull=True, subledger=""),
            ),
            models.CheckConstraint(
                name="ledger_account_subledger",
                condition=Q(subledger="", subledger_id__isnull=True)
                | ~Q(subledger="") & (Q(currency__isnull=True) | Q(subledger_id__isnull=False)),
            ),
            # What belongs to one party has one balance, which each of its lines leaves.
            models.CheckConstraint(
                name="ledger_account_stripes",
                condition=Q(stripes=1) | Q(stripes__range=(2, STRIPES_AT_MOST), subledger=""),
            ),
        )
        indexes = (models.Index(fields=["subledger_id"], name="ledger_account_subledger_id"),)

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def is_chart_line(self) -> bool:
        return self.currency is None

    # What it held at another time, where a selector has told it.
    posted_then: Money | None = None

    @property
    def posted(self) -> Money | None:
        """What it holds now, positive on its normal side; None for a line of the chart.

        It reads `balances`, which lists fetch beforehand.
        """
        if self.currency is None:
            return None
        if self.posted_then is not None:
            return self.posted_then
        return Money(sum(balance.holds for balance in self.balances.all()), self.currency)

    @property
    def held(self) -> Money | None:
        """What of it is held for somebody, and may not be used; as `posted`, but only now."""
        if self.currency is None or self.posted_then is not None:
            return None
        return Money(sum(balance.held for balance in self.balances.all()), self.currency)


class BalanceManager(models.Manager["Balance"]):
    """Each balance with what waits to be counted into it, read in the same statement."""

    def get_queryset(self) -> models.QuerySet["Balance"]:
        waiting = (
            DeferredCredit.objects.filter(account_id=OuterRef("account_id"))
            .order_by()
            .values("account_id")
            .annotate(sum=Sum("amount_minor"))
            .values("sum")
        )
        return (
            super()
            .get_queryset()
            .annotate(
                waiting=Case(
                    When(stripe=0, then=-F("direction") * Coalesce(Subquery(waiting), Value(0))),
                    default=Value(0),
                    output_field=BigIntegerField(),
                )
            )
        )


class Balance(models.Model):
    """What an account holds now, in minor units, positive on the account's normal side.

    Hot: the posting functions alone change it. `stripe` lets one account spread over rows;
    `held` and `floor` bound what may leave (the account's floor is that of its first stripe, the
    others have zero). What a posting must know of the account stands here
    too (`direction` is 1 where a debit raises it, -1 where a credit does), so that it reads no
    other row; none of it changes but `is_open`. Credits of a deferred account wait beside it until
    they are folded into `posted`: what is held in truth is `holds`.
    """

    read_only = True

    pk = models.CompositePrimaryKey("account", "stripe")
    account = models.ForeignKey(
        Account, on_delete=models.PROTECT, db_index=False, related_name="balances"
    )
    stripe = models.SmallIntegerField(default=0)
    posted = MinorUnitsField(default=0)
    held = MinorUnitsField(default=0)
    floor = MinorUnitsField(null=True)
    version = models.BigIntegerField(default=0)
    direction = models.SmallIntegerField()
    currency = CurrencyField()
    is_open = models.BooleanField(default=True)

    objects = BalanceManager()

    class Meta:
        default_permissions = ()
        constraints = (
            # One, because PostgreSQL parses each check again for every statement. It passes where
            # there is no floor.
            models.CheckConstraint(
                name="ledger_balance_floor",
                condition=Q(held__gte=0) & Q(floor__lte=F("posted") - F("held")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id}/{self.stripe}"

    @property
    def holds(self) -> int:
        """What it counts and what waits to be counted."""
        waiting: int = vars(self)["waiting"]  # the manager has read it in the same statement
        return self.posted + waiting
