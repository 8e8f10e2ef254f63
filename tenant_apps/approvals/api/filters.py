from __future__ import annotations

import django_filters as filters

from tenant_apps.approvals.models import Approval


class ApprovalFilter(filters.FilterSet):
    subject_type = filters.CharFilter(max_length=100)
    subject_id = filters.UUIDFilter()
    action = filters.CharFilter(max_length=60)
    maker = filters.UUIDFilter(field_name="maker_id")

    class Meta:
        model = Approval
        fields = ("state",)
