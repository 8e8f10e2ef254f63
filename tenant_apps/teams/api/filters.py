from __future__ import annotations

import django_filters as filters

from tenant_apps.teams.models import Team


class TeamFilter(filters.FilterSet):
    parent = filters.UUIDFilter(field_name="parent_id")
    lead = filters.UUIDFilter(field_name="lead_id")
    is_open = filters.BooleanFilter(field_name="closed_at", lookup_expr="isnull")

    class Meta:
        model = Team
        fields: tuple[str, ...] = ()
