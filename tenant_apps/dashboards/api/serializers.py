"""What dashboards take and show."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from shared_apps.kernel.api.fields import MoneyField
from tenant_apps.dashboards.figures import Dimension, Grain, is_period
from tenant_apps.payments.models import Method

PERIOD_PATTERN = "^(all|[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?)$"


class PeriodField(serializers.RegexField):
    """ "all", a fiscal year (2017, by its end), a quarter of one (2017-Q1) or a month (2017-03)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(PERIOD_PATTERN, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        period = str(super().to_internal_value(data))
        if not is_period(period):
            self.fail("invalid")
        return period


class SalesQueryIn(serializers.Serializer[Any]):
    agent = serializers.UUIDField(required=False, default=None, allow_null=True)
    each = serializers.ChoiceField(
        choices=[Grain.MONTH.value, Grain.QUARTER.value, Grain.YEAR.value],
        required=False,
        default=Grain.MONTH.value,
    )
    last = serializers.IntegerField(min_value=1, max_value=36, required=False, default=12)


class SummaryQueryIn(serializers.Serializer[Any]):
    period = PeriodField(required=False, default="all")


class FiguresOut(serializers.Serializer[Any]):
    """`subject` is an id (or a payment method), empty for the organization or for no team."""

    subject = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    period = serializers.CharField()
    currency = serializers.CharField()
    won_count = serializers.IntegerField()
    won = MoneyField()
    collected_count = serializers.IntegerField()
    collected = MoneyField()
    commission_count = serializers.IntegerField()
    commission = MoneyField()


class SalesDashboardOut(serializers.Serializer[Any]):
    agent = serializers.UUIDField(source="agent_id")
    agent_name = serializers.CharField()
    totals = FiguresOut(many=True)
    by_period = FiguresOut(many=True)


class WaitingOut(serializers.Serializer[Any]):
    method = serializers.ChoiceField(choices=Method.choices)
    number = serializers.IntegerField()
    amount = MoneyField()


class QueueOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True)
    by_method = WaitingOut(many=True)


class QueueDashboardOut(serializers.Serializer[Any]):
    queue = QueueOut()
    month = serializers.CharField()
    collected_this_month = FiguresOut(many=True)
    collected_ever = FiguresOut(many=True)


class SummaryOut(serializers.Serializer[Any]):
    """`shortened` names the lists that show only their largest rows; `/dashboards/figures/` has
    all of them."""

    period = serializers.CharField()
    totals = FiguresOut(many=True)
    by_quarter = FiguresOut(many=True)
    by_agent = FiguresOut(many=True)
    by_team = FiguresOut(many=True)
    by_manager = FiguresOut(many=True)
    by_office = FiguresOut(many=True)
    by_client = FiguresOut(many=True)
    by_product = FiguresOut(many=True)
    by_method = FiguresOut(many=True)
    shortened = serializers.ListField(child=serializers.CharField())


DIMENSIONS = {
    "organization": Dimension.ORGANIZATION,
    "agent": Dimension.AGENT,
    "team": Dimension.UNIT,
    "client": Dimension.CLIENT,
    "product": Dimension.PRODUCT,
    "method": Dimension.METHOD,
}
