from __future__ import annotations

from rest_framework import serializers

from shared_apps.kernel.api.serializers import StrictSerializer
from tenant_apps.approvals.models import Approval, Signature


class SignatureIn(StrictSerializer):
    comment = serializers.CharField(max_length=1000, allow_blank=True, default="")


class RejectionIn(StrictSerializer):
    remark = serializers.CharField(max_length=1000)


class RecallIn(StrictSerializer):
    remark = serializers.CharField(max_length=1000, allow_blank=True, default="")


class SignatureOut(serializers.ModelSerializer[Signature]):
    class Meta:
        model = Signature
        fields = ("id", "signer_id", "level", "comment", "signed_at")
        read_only_fields = fields


class ApprovalOut(serializers.ModelSerializer[Approval]):
    signatures = SignatureOut(many=True, read_only=True)

    class Meta:
        model = Approval
        fields = (
            "id",
            "subject_type",
            "subject_id",
            "action",
            "state",
            "maker_id",
            "owner_id",
            "unit_id",
            "required_signatures",
            "signatures",
            "created_at",
            "closed_at",
            "closed_by_id",
            "remark",
        )
        read_only_fields = fields
