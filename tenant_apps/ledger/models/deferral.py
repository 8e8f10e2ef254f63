"""Credits that are counted later: what waits, and what a fold made of it."""

from django.db import models

from shared_apps.kernel.fields import MinorUnitsField


class DeferredCredit(models.Model):
    """The credit of a transfer that its account's balance does not count yet.

    The posting writes it beside the transfer, a fold takes it away as it counts it. Until then
    the account holds its balance and what waits here. One index: it finds what waits for an
    account, in the order in which it is folded.
    """

    read_only = True

    pk = models.CompositePrimaryKey("account_id", "transfer_id")
    account_id = models.UUIDField()
    transfer_id = models.UUIDField()
    amount_minor = MinorUnitsField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.account_id} {self.transfer_id}"


class FoldedCredit(models.Model):
    """The version and the balance that a deferred credit made when it was counted.

    What the transfer itself says of a side that is counted at once. Derived: `verify_books`
    recounts it from the transfers.
    """

    read_only = True
    append_only = True

    transfer_id = models.UUIDField(primary_key=True)
    account_id = models.UUIDField()
    version = models.BigIntegerField()
    balance = MinorUnitsField()
    stripe = models.SmallIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=["account_id", "stripe", "version"], name="ledger_foldedcredit_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account_id} {self.version}"
