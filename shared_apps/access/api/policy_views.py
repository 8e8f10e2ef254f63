"""What the organization asks of people who come in, role by role."""

from __future__ import annotations

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.access.models import Role
from shared_apps.accounts import services
from shared_apps.accounts.models import Factor, SecuritySettings, SignInPolicy
from shared_apps.accounts.security import security_settings
from shared_apps.kernel.api.serializers import StrictSerializer
from shared_apps.kernel.api.views import Listing, Retrieving
from shared_apps.kernel.models import RecordQuerySet

VIEW = "accounts.view_signinpolicy"


class SignInPolicyChangeIn(StrictSerializer):
    factor = serializers.ChoiceField(choices=Factor.choices)


class SignInPolicyIn(SignInPolicyChangeIn):
    role = serializers.SlugField(
        max_length=40,
        allow_blank=True,
        help_text="The code of a role; empty for everybody of the organization.",
    )

    def validate_role(self, value: str) -> str:
        if value and not Role.objects.filter(code=value).exists():
            raise serializers.ValidationError("There is no such role.", code="unknown")
        return value


class SignInPolicyOut(serializers.ModelSerializer[SignInPolicy]):
    class Meta:
        model = SignInPolicy
        fields = ("id", "role", "factor", "created_at", "updated_at")
        read_only_fields = fields


class SignInPolicyViewSet(Listing, Retrieving, OrganizationViewSet):
    """The strictest policy of everybody's and of one's roles counts, from the next sign-in on."""

    serializer_class = SignInPolicyOut
    input_serializers = {"create": SignInPolicyIn, "partial_update": SignInPolicyChangeIn}
    required_permissions = {"list": VIEW, "retrieve": VIEW}
    step_up = frozenset({"create", "partial_update", "destroy"})
    ordering_fields = ("role",)
    ordering = ("role",)

    def get_queryset(self) -> RecordQuerySet[SignInPolicy]:
        policies: RecordQuerySet[SignInPolicy] = SignInPolicy.objects.all()
        return self.actor.visible(policies, VIEW)

    def create(self, request: Request) -> Response:
        """Ask something of everybody, or of whoever holds a role."""
        return self.answer(services.add_sign_in_policy(actor=self.actor, **self.read_input()))

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Ask something else from the next sign-in on."""
        given = self.read_input()
        return self.answer(services.change_sign_in_policy(actor=self.actor, policy_id=pk, **given))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """Ask nothing more of it; what other policies ask stays."""
        services.remove_sign_in_policy(actor=self.actor, policy_id=pk)
        return self.answer()


class SecuritySettingsIn(StrictSerializer):
    step_up_minutes = serializers.IntegerField(min_value=1, max_value=60, required=False)
    step_up_for_money = serializers.BooleanField(required=False)
    session_idle_minutes = serializers.IntegerField(
        min_value=15,
        max_value=7 * 24 * 60,
        required=False,
        help_text="A session that is not refreshed for so long ends.",
    )
    session_days = serializers.IntegerField(
        min_value=1, max_value=90, required=False, help_text="After so many days it ends anyway."
    )


class SecuritySettingsOut(serializers.ModelSerializer[SecuritySettings]):
    class Meta:
        model = SecuritySettings
        fields = (
            "step_up_minutes",
            "step_up_for_money",
            "session_idle_minutes",
            "session_days",
        )
        read_only_fields = fields


class SecuritySettingsView(OrganizationView):
    """How careful the organization is with what is sensitive."""

    serializer_class = SecuritySettingsOut
    input_serializers = {"patch": SecuritySettingsIn}
    required_permissions = {"get": VIEW}
    step_up = frozenset({"patch"})

    def get(self, request: Request) -> Response:
        """For how long a second factor counts as fresh, and what asks for one."""
        return self.answer(security_settings())

    def patch(self, request: Request) -> Response:
        """Change them; it counts at once."""
        given = self.read_input()
        return self.answer(services.change_security_settings(actor=self.actor, **given))
