from __future__ import annotations

from rest_framework import serializers

from shared_apps.access.models import Membership
from shared_apps.kernel.api.serializers import StrictSerializer
from tenant_apps.teams.models import Team


class TeamIn(StrictSerializer):
    name = serializers.CharField(max_length=120)
    parent_id = serializers.UUIDField(allow_null=True, default=None)
    lead_id = serializers.UUIDField(allow_null=True, default=None)


class TeamChangeIn(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    parent_id = serializers.UUIDField(allow_null=True, required=False)


class TeamOut(serializers.ModelSerializer[Team]):
    lead_name = serializers.CharField(
        source="lead.full_name", default=None, allow_null=True, read_only=True
    )

    class Meta:
        model = Team
        fields = (
            "id",
            "name",
            "unit_id",
            "parent_id",
            "lead_id",
            "lead_name",
            "closed_at",
            "version",
            "created_at",
        )
        read_only_fields = fields


class LeadIn(StrictSerializer):
    user_id = serializers.UUIDField(allow_null=True)


class MemberIn(StrictSerializer):
    user_id = serializers.UUIDField()
    role = serializers.SlugField(max_length=40, default="salesperson")


class MemberOut(serializers.ModelSerializer[Membership]):
    membership_id = serializers.UUIDField(source="id", read_only=True)
    full_name = serializers.CharField(source="user.full_name", read_only=True)
    role = serializers.SlugField(source="role.code", read_only=True)

    class Meta:
        model = Membership
        fields = ("membership_id", "user_id", "full_name", "role", "created_at")
        read_only_fields = fields
