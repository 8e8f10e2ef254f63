"""What the API of seals takes and shows."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.kernel.api.serializers import StrictSerializer
from shared_apps.seals import chains
from shared_apps.seals.models import SHORTEST_RETENTION_DAYS, SealSetting, Segment
from shared_apps.seals.verification import Wrong

MOST_SEGMENTS = 50


@extend_schema_field({"type": "string", "pattern": "^([0-9a-f]{2})*$"})
class HexField(serializers.Field[bytes, str, str, Any]):
    """Bytes in hex."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, **kwargs)

    def to_representation(self, value: Any) -> str:
        return bytes(value).hex()


class SegmentOut(serializers.ModelSerializer[Segment]):
    first_row = serializers.IntegerField(source="first", read_only=True)
    root_digest = HexField(source="root")
    previous = HexField()
    digest = HexField()
    signature = HexField()

    class Meta:
        model = Segment
        fields = (
            "id",
            "chain",
            "number",
            "form",
            "first_row",
            "rows",
            "root_digest",
            "previous",
            "complete_until",
            "sealed_at",
            "key_id",
            "digest",
            "signature",
        )
        read_only_fields = fields


class VerificationQuery(serializers.Serializer[Any]):
    chain = serializers.ChoiceField(choices=[])
    after = serializers.IntegerField(min_value=0, max_value=2**62, default=0)
    segments = serializers.IntegerField(min_value=1, max_value=MOST_SEGMENTS, default=20)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        # Apps register their chains while they start; this module may be read before.
        fields["chain"] = serializers.ChoiceField(choices=chain_names())
        return fields


def chain_names() -> list[str]:
    """The names of all chains."""
    return [chain.name for chain in chains.registered()]


class SealFindingOut(serializers.Serializer[Any]):
    wrong = serializers.ChoiceField(choices=[each.value for each in Wrong])
    segment = serializers.IntegerField(allow_null=True)
    row_id = serializers.UUIDField(allow_null=True)
    detail = serializers.CharField()


class VerificationOut(serializers.Serializer[Any]):
    """`waiting` counts rows that are not sealed yet; only the last part counts them."""

    chain = serializers.CharField()
    holds = serializers.BooleanField()
    segments = serializers.IntegerField()
    rows = serializers.IntegerField()
    dropped_rows = serializers.IntegerField()
    waiting = serializers.IntegerField()
    findings = SealFindingOut(many=True)
    next_after = serializers.IntegerField(allow_null=True)


class SignedTextOut(serializers.Serializer[Any]):
    text = serializers.CharField()
    signature = serializers.CharField()


class AnchoredHeadOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    digest = serializers.CharField()
    anchored_at = serializers.DateTimeField()


class ProofOut(serializers.Serializer[Any]):
    proof = serializers.CharField()
    row = serializers.CharField()
    position = serializers.IntegerField()
    path = serializers.ListField(child=serializers.CharField())
    segments = SignedTextOut(many=True)
    anchor = AnchoredHeadOut(allow_null=True)


class SealKeyOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    public_key = serializers.CharField()
    signs_now = serializers.BooleanField()


class SealSettingIn(StrictSerializer):
    mail_heads = serializers.BooleanField()
    audit_retention_days = serializers.IntegerField(
        min_value=SHORTEST_RETENTION_DAYS, max_value=36_500, allow_null=True
    )


class SealSettingOut(serializers.ModelSerializer[SealSetting]):
    class Meta:
        model = SealSetting
        fields = ("mail_heads", "audit_retention_days", "version")
        read_only_fields = fields
