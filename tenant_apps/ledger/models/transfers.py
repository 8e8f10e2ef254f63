"""Transfers between accounts, and a statement's view of them."""

from collections.abc import Iterable
from typing import Self
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.ids import ids_near
from shared_apps.kernel.models import RecordQuerySet

from .accounts import Account, Side


class TransferKind(models.TextChoices):
    POSTING = "posting", "Posting"
    MANUAL = "manual", "Manual journal"
    OPENING = "opening", "Opening balance"
    REVERSAL = "reversal", "Reversal"
    GATHERING = "gathering", "Gathering of an account's stripes"


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
    leg = models.SmallIntegerField()
    debit_account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    debit_stripe = models.SmallIntegerField(default=0)
    debit_version = models.BigIntegerField(null=True)
    debit_balance = MinorUnitsField(null=True)
    credit_account = models.ForeignKey(
        Account, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    credit_stripe = models.SmallIntegerField(default=0)
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
    # What was kept with the journal, where a selector has put it on its first leg.
    metadata: dict[str, str]

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
            ("exchange_currency", "Can post an exchange of currencies"),
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
            # One, because PostgreSQL parses each check again for every statement.
            models.CheckConstraint(
                name="ledger_transfer_sound",
                condition=Q(amount_minor__gt=0)
                & (~Q(debit_account=F("credit_account")) | Q(kind=TransferKind.GATHERING))
                & (Q(reverses_id__isnull=True) | Q(kind=TransferKind.REVERSAL)),
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

    # By how much it changed the balance, where a selector says so.
    change: int

    amount = MoneyOf("amount_minor", "currency")
    balance = MoneyOf("balance_minor", "currency")

    class Meta:
        managed = False
        db_table = "ledger_statementline"
        default_permissions = ()
        ordering = ("-version", "transfer_id")

    def __str__(self) -> str:
        return f"{self.account_id} {self.version}"
