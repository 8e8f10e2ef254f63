"""How much of its quotas an organization has used."""

from django.db import models

from shared_apps.kernel.models import Record


class UsageCounter(Record):
    """One quota's use: in a period (`2026-11`) or, where the period is empty, at this moment."""

    name = models.CharField(max_length=60)
    period = models.CharField(max_length=7, blank=True, default="")
    used = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "period"], name="usage_counter_is_unique"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.period}: {self.used}"


class QuotaBypass(Record):
    """A use that was let past the quota on purpose, and why."""

    append_only = True

    name = models.CharField(max_length=60)
    period = models.CharField(max_length=7, blank=True, default="")
    amount = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="quota_bypass_is_something", condition=models.Q(amount__gt=0)
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.amount}: {self.reason}"
