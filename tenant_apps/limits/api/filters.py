"""How lists of limits, overrides and overruns are narrowed."""

from __future__ import annotations

import django_filters as filters

from tenant_apps.limits.models import (
    Cause,
    CreditLimit,
    LimitOverride,
    LimitState,
    OverrideState,
    Overrun,
)


class CreditLimitFilter(filters.FilterSet):
    currency = filters.CharFilter(max_length=3)
    state = filters.ChoiceFilter(choices=LimitState.choices)

    class Meta:
        model = CreditLimit
        fields = ("currency", "state")


class LimitOverrideFilter(filters.FilterSet):
    client = filters.UUIDFilter(field_name="client_id")
    deal = filters.UUIDFilter(field_name="deal_id")
    currency = filters.CharFilter(max_length=3)
    state = filters.ChoiceFilter(choices=OverrideState.choices)

    class Meta:
        model = LimitOverride
        fields = ("client", "deal", "currency", "state")


class OverrunFilter(filters.FilterSet):
    client = filters.UUIDFilter(field_name="client_id")
    deal = filters.UUIDFilter(field_name="deal_id")
    source = filters.UUIDFilter(field_name="source_id", help_text="The invoice or journal.")
    currency = filters.CharFilter(max_length=3)
    cause = filters.ChoiceFilter(choices=Cause.choices)

    class Meta:
        model = Overrun
        fields = ("client", "deal", "source", "currency", "cause")
