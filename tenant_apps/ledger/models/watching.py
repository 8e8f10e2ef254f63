"""What the watch keeps in the books' own tables: how far they were checked, and the stop."""

from typing import ClassVar

from django.db import models

from shared_apps.kernel.fields import MinorUnitsField


class Checkpoint(models.Model):
    """Up to which version a balance was found to be what its transfers say, and what it was then.

    The next check of the balance begins there. Nobody reads it but the watch.
    """

    pk = models.CompositePrimaryKey("account_id", "stripe")
    account_id = models.UUIDField()
    stripe = models.PositiveSmallIntegerField(default=0)
    version = models.BigIntegerField()
    posted = MinorUnitsField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.account_id}/{self.stripe} at {self.version}"


class Stop(models.Model):
    """While this row is there, nothing is posted. There is one at most.

    Two functions write it; the posting statements look at it.
    """

    read_only: ClassVar[bool] = True

    id = models.SmallIntegerField(primary_key=True, default=1)
    alarm_id = models.UUIDField()
    invariant = models.CharField(max_length=80)
    stopped_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        permissions = (("start_postings", "Can let the books be written again after an alarm"),)
        constraints = (models.CheckConstraint(name="ledger_stop_is_one", condition=models.Q(id=1)),)

    def __str__(self) -> str:
        return f"{self.invariant} {self.stopped_at:%Y-%m-%d %H:%M}"
