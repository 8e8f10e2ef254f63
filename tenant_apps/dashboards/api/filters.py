"""How the list of figures is narrowed."""

from __future__ import annotations

from typing import Any

from django.core.validators import RegexValidator
from django.db.models import QuerySet
from django_filters import rest_framework as filters

from tenant_apps.dashboards.api.serializers import DIMENSIONS, PERIOD_PATTERN
from tenant_apps.dashboards.figures import Grain
from tenant_apps.dashboards.models import Rollup


class FiguresFilter(filters.FilterSet):
    by = filters.ChoiceFilter(
        choices=[(name, name) for name in DIMENSIONS], method="broken_down", required=True
    )
    each = filters.ChoiceFilter(
        field_name="grain", choices=[(grain.value, grain.value) for grain in Grain]
    )
    period = filters.CharFilter(validators=[RegexValidator(PERIOD_PATTERN)])
    subject = filters.CharFilter(max_length=36)
    currency = filters.CharFilter(max_length=3)

    class Meta:
        model = Rollup
        fields = ("each", "period", "subject", "currency")

    def broken_down(self, rows: QuerySet[Rollup], name: str, value: str) -> QuerySet[Rollup]:
        return rows.filter(dimension=DIMENSIONS[value].value)

    def filter_queryset(self, queryset: Any) -> Any:
        found = super().filter_queryset(queryset)
        # Without a period or a grain, the figures of all time: never months beside years.
        if not self.form.cleaned_data["each"] and not self.form.cleaned_data["period"]:
            return found.filter(grain=Grain.ALL.value)
        return found
