"""Sums kept ready, so that a dashboard costs the same after ten years as on the first day."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from shared_apps.access.models import AccessPaths
from shared_apps.kernel.fields import CurrencyField, MinorUnitsField, MoneyOf
from shared_apps.kernel.models import Record
from tenant_apps.dashboards.figures import Dimension, Grain


class Rollup(Record):
    """What was won, collected and earned by one subject in one period and currency.

    Written only together with the fact that changes it. Commission stands in the row of the
    organization's own currency.
    """

    access_paths: ClassVar[AccessPaths] = AccessPaths(owner=None, unit=None)

    dimension = models.CharField(
        max_length=16, choices=[(dimension.value, dimension.name) for dimension in Dimension]
    )
    grain = models.CharField(max_length=8, choices=[(grain.value, grain.name) for grain in Grain])
    # "all", "2017", "2017-Q1" or "2017-03"; quarters and years are the organization's fiscal ones.
    period = models.CharField(max_length=7)
    # The id of a user, a unit, a party or a product, the name of a method, or nothing.
    subject = models.CharField(max_length=36, blank=True, default="")
    currency = CurrencyField()
    won_count = models.BigIntegerField(default=0)
    won_minor = MinorUnitsField(default=0)
    collected_count = models.BigIntegerField(default=0)
    collected_minor = MinorUnitsField(default=0)
    commission_count = models.BigIntegerField(default=0)
    commission_minor = MinorUnitsField(default=0)
    won = MoneyOf("won_minor", "currency")
    collected = MoneyOf("collected_minor", "currency")
    commission = MoneyOf("commission_minor", "currency")

    class Meta:
        default_permissions = ()
        permissions = [
            ("view_sales", "Can see the own sales figures"),
            ("view_queue", "Can see the figures of the verification queue"),
            ("view_summary", "Can see the figures of the whole organization"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dimension", "grain", "period", "subject", "currency"],
                name="dashboards_rollup_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["dimension", "subject", "grain", "period"], name="dashboards_rollup_subject"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dimension} {self.subject} {self.period}"
