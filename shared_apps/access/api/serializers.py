"""What the API of people, roles and rights takes and shows."""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from django.core.validators import RegexValidator
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from shared_apps.access.models import Membership, ObjectGrant, Role, Scope, Unit
from shared_apps.access.rules import subject_model_of
from shared_apps.accounts.models import User
from shared_apps.audit.models import AuditEntry
from shared_apps.kernel.api.serializers import StrictSerializer

PERMISSION = RegexValidator(
    r"^[a-z_]{1,40}\.[a-z_]{1,100}\Z", "A permission looks like deals.view_deal."
)
_TYPE = RegexValidator(r"^[a-z_]{1,40}\.[a-z]{1,60}\Z", "A type looks like deals.deal.")
MAXIMUM_GRANTS = 500


class UnitOut(serializers.ModelSerializer[Unit]):
    class Meta:
        model = Unit
        fields = ("id", "parent_id", "kind", "name", "created_at")
        read_only_fields = fields


class HeldRoleOut(serializers.Serializer[Membership]):
    """A membership as it stands beside its person."""

    membership_id = serializers.UUIDField(source="id", read_only=True)
    unit_id = serializers.UUIDField(read_only=True)
    role = serializers.SlugField(source="role.code", read_only=True)


class UserOut(serializers.ModelSerializer[User]):
    state = serializers.SerializerMethodField()
    has_second_factor = serializers.SerializerMethodField()
    roles = HeldRoleOut(source="held_roles", many=True, read_only=True)

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "full_name",
            "phone",
            "language",
            "time_zone",
            "state",
            "has_second_factor",
            "roles",
            "created_at",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["active", "invited", "deactivated"]))
    def get_state(self, user: User) -> str:
        if user.is_active:
            return "active"
        return "deactivated" if user.deactivated_at is not None else "invited"

    def get_has_second_factor(self, user: User) -> bool:
        return user.second_factor_enrolled_at is not None


class FirstRoleIn(StrictSerializer):
    unit_id = serializers.UUIDField()
    role = serializers.SlugField(max_length=40)


class InvitationIn(StrictSerializer):
    email = serializers.EmailField(max_length=254)
    full_name = serializers.CharField(max_length=200)
    language = serializers.RegexField(r"^[a-z]{2}(-[A-Za-z]{2,4})?\Z", default="en")
    roles = serializers.ListField(child=FirstRoleIn(), max_length=20, default=list)


class GrantOfRoleIn(StrictSerializer):
    permission = serializers.CharField(max_length=141, validators=[PERMISSION])
    scope = serializers.ChoiceField(choices=Scope.choices)
    unless_role = serializers.SlugField(max_length=40, allow_null=True, default=None)


class GrantOfRoleOut(serializers.Serializer[Any]):
    permission = serializers.CharField(source="permission_name", read_only=True)
    scope = serializers.ChoiceField(choices=Scope.choices, read_only=True)
    unless_role = serializers.SlugField(
        source="unless_role.code", default=None, allow_null=True, read_only=True
    )


class RoleIn(StrictSerializer):
    code = serializers.RegexField(r"^[a-z][a-z0-9_]{0,39}\Z")
    name = serializers.CharField(max_length=120)
    root_only = serializers.BooleanField(default=False)
    grants = serializers.ListField(child=GrantOfRoleIn(), max_length=MAXIMUM_GRANTS, default=list)


class RoleChangeIn(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    grants = serializers.ListField(child=GrantOfRoleIn(), max_length=MAXIMUM_GRANTS, required=False)


class RoleOut(serializers.ModelSerializer[Role]):
    grants = GrantOfRoleOut(many=True, read_only=True)

    class Meta:
        model = Role
        fields = ("id", "code", "name", "is_standard", "root_only", "grants", "created_at")
        read_only_fields = fields


class PermissionOut(serializers.Serializer[Any]):
    permission = serializers.SerializerMethodField()
    description = serializers.CharField(source="name", read_only=True)

    def get_permission(self, permission: Any) -> str:
        return f"{permission.content_type.app_label}.{permission.codename}"


class MembershipIn(StrictSerializer):
    user_id = serializers.UUIDField()
    unit_id = serializers.UUIDField()
    role = serializers.SlugField(max_length=40)


class MembershipOut(serializers.ModelSerializer[Membership]):
    role = serializers.SlugField(source="role.code", read_only=True)
    user_name = serializers.CharField(source="user.full_name", read_only=True)
    unit_name = serializers.CharField(source="unit.name", read_only=True)

    class Meta:
        model = Membership
        fields = (
            "id",
            "user_id",
            "user_name",
            "unit_id",
            "unit_name",
            "role",
            "is_active",
            "created_at",
        )
        read_only_fields = fields


class SubjectQuery(StrictSerializer):
    """Which record is meant, in the query."""

    subject_type = serializers.CharField(max_length=101, validators=[_TYPE])
    subject_id = serializers.UUIDField()


class ObjectGrantIn(SubjectQuery):
    user_id = serializers.UUIDField()
    permission = serializers.CharField(max_length=141, validators=[PERMISSION])


class ObjectGrantOut(serializers.Serializer[ObjectGrant]):
    id = serializers.UUIDField(read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    permission = serializers.SerializerMethodField()
    subject_type = serializers.SerializerMethodField()
    subject_id = serializers.UUIDField(source="content_object_id", read_only=True)
    granted_by_id = serializers.UUIDField(read_only=True, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)

    def get_permission(self, grant: ObjectGrant) -> str:
        return f"{_subject_of(grant)._meta.app_label}.{grant.permission.codename}"

    def get_subject_type(self, grant: ObjectGrant) -> str:
        return str(_subject_of(grant)._meta.label_lower)


def _subject_of(grant: ObjectGrant) -> Any:
    return subject_model_of(type(grant))


class HeldPermissionOut(serializers.Serializer[Any]):
    """How far: all rows, the rows of these units and below, the own; or only on conditions."""

    permission = serializers.CharField(read_only=True)
    own = serializers.BooleanField(read_only=True)
    everywhere = serializers.BooleanField(read_only=True)
    units = serializers.ListField(child=serializers.UUIDField(), read_only=True)
    conditional = serializers.BooleanField(
        read_only=True, help_text="Further rows, where nobody holds another role."
    )


class OwnAccessOut(serializers.Serializer[Any]):
    user_id = serializers.UUIDField(read_only=True)
    roles = serializers.ListField(child=serializers.SlugField(), read_only=True)
    permissions = HeldPermissionOut(many=True, read_only=True)


class AuditEntryOut(serializers.ModelSerializer[AuditEntry]):
    event = serializers.CharField(source="event_name", read_only=True)
    payload = serializers.DictField(child=serializers.JSONField(), read_only=True)
    actor_roles = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "event",
            "subject_type",
            "subject_id",
            "payload",
            "actor_label",
            "actor_user_id",
            "actor_roles",
            "on_behalf_of",
            "session_id",
            "request_id",
            "ip_address",
            "user_agent",
            "recorded_at",
        )
        read_only_fields = fields


class FieldChangeOut(serializers.ModelSerializer[LogEntry]):
    """One write of one row: which fields had which value before and after."""

    subject_id = serializers.CharField(source="object_pk", read_only=True)
    action = serializers.SerializerMethodField()
    changes = serializers.SerializerMethodField()
    actor_user_id = serializers.UUIDField(source="actor_id", read_only=True, allow_null=True)
    request_id = serializers.CharField(source="cid", read_only=True, allow_null=True)

    class Meta:
        model = LogEntry
        fields = (
            "id",
            "subject_id",
            "action",
            "changes",
            "actor_user_id",
            "request_id",
            "timestamp",
        )
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=["create", "update", "delete", "access"]))
    def get_action(self, entry: LogEntry) -> str:
        return str(entry.get_action_display())

    @extend_schema_field(serializers.DictField(child=serializers.ListField()))
    def get_changes(self, entry: LogEntry) -> dict[str, Any]:
        return dict(entry.changes or {})
