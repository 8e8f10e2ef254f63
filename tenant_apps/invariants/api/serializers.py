"""What the API shows of the watch."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.kernel import clock
from tenant_apps.invariants.models import InvariantAlarm, InvariantCheck


class FindingOut(serializers.Serializer[dict[str, str]]):
    """What does not hold: the rule, the row, and what is wrong with it."""

    rule = serializers.CharField()
    subject = serializers.CharField()
    detail = serializers.CharField()


class InvariantOut(serializers.ModelSerializer[InvariantCheck]):
    """How one invariant stands. `is_late` says that it has not been checked for long."""

    title = serializers.CharField(read_only=True)
    red_since = serializers.DateTimeField(read_only=True, allow_null=True)
    is_late = serializers.SerializerMethodField()
    findings = FindingOut(many=True, read_only=True)

    class Meta:
        model = InvariantCheck
        fields = (
            "id",
            "name",
            "title",
            "concerns",
            "state",
            "red_since",
            "checked_at",
            "swept_at",
            "is_late",
            "findings",
        )
        read_only_fields = fields

    @extend_schema_field(bool)
    def get_is_late(self, check: InvariantCheck) -> bool:
        return check.is_late(at=clock.now())


class InvariantAlarmOut(serializers.ModelSerializer[InvariantAlarm]):
    """An alarm: what was found when it was raised, and when it was found to hold again."""

    title = serializers.CharField(read_only=True)
    closed_at = serializers.DateTimeField(read_only=True, allow_null=True)
    findings = FindingOut(many=True, read_only=True)

    class Meta:
        model = InvariantAlarm
        fields = ("id", "invariant", "title", "concerns", "opened_at", "closed_at", "findings")
        read_only_fields = fields
