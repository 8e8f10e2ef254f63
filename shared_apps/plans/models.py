"""What an organization may use, and how much of it."""

from django.db import models

from shared_apps.kernel.models import Record


class Plan(Record):
    """A plan with its quotas and features.

    `quotas` maps a quota's name to its limit: `users` counts people who may sign in,
    `deals_per_month` counts deals by calendar month in the organization's time zone. A quota that
    is absent is unlimited.
    """

    code = models.SlugField(max_length=40)
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300, blank=True, default="")
    quotas = models.JSONField(default=dict)
    features = models.JSONField(default=list)
    trial_days = models.PositiveSmallIntegerField(default=0)
    is_listed = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ("position", "code")
        constraints = (models.UniqueConstraint(fields=["code"], name="plan_code_is_unique"),)

    def __str__(self) -> str:
        return self.name

    def entitlements(self) -> dict[str, object]:
        """The copy that stands on an organization."""
        return {"quotas": dict(self.quotas), "features": list(self.features)}
