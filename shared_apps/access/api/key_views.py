"""API keys: one's own, and others' for whoever may look after them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.serializers import PERMISSION
from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.accounts import services
from shared_apps.accounts.models import ApiKey, ApiKeyQuerySet
from shared_apps.accounts.selectors import api_keys_visible_to
from shared_apps.kernel.api.serializers import StrictSerializer
from shared_apps.kernel.api.views import Listing, Retrieving

MOST_PERMISSIONS = 100
MOST_NETWORKS = 50


class ApiKeyIn(StrictSerializer):
    name = serializers.CharField(max_length=100)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=141, validators=[PERMISSION]),
        min_length=1,
        max_length=MOST_PERMISSIONS,
        help_text="What the key may do, as far as you may do it yourself at the moment of use.",
    )
    networks = serializers.ListField(
        child=serializers.CharField(max_length=49),
        max_length=MOST_NETWORKS,
        required=False,
        help_text="CIDR ranges it may be used from, such as 203.0.113.0/24; none are no bounds.",
    )
    expires_at = serializers.DateTimeField(
        required=False, help_text="366 days from now at most; 90 days unless given."
    )


class RotationIn(StrictSerializer):
    former_ends_at = serializers.DateTimeField(
        help_text="Until when the present key lives beside the new one; 30 days at most."
    )


class ApiKeyOut(serializers.ModelSerializer[ApiKey]):
    """A key as it is shown after its birth: by its prefix, never its secret."""

    user = serializers.UUIDField(source="user_id", read_only=True)
    replaces = serializers.UUIDField(source="replaces_id", read_only=True, allow_null=True)
    permissions = serializers.ListField(child=serializers.CharField(), read_only=True)
    networks = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "user",
            "name",
            "prefix",
            "permissions",
            "networks",
            "created_at",
            "expires_at",
            "revoked_at",
            "replaces",
            "last_used_at",
            "last_used_address",
        )
        read_only_fields = fields


class ShownKeyOut(serializers.Serializer[Any]):
    """A key with its text, which nobody can see again."""

    key = serializers.CharField(
        source="text", help_text="Goes into `Authorization: Bearer ...`. It is shown this once."
    )
    api_key = ApiKeyOut(source="key")


class ApiKeyViewSet(Listing, Retrieving, OrganizationViewSet):
    """What machines show in the place of a session."""

    serializer_class = ApiKeyOut
    input_serializers = {"create": ApiKeyIn, "rotation": RotationIn}
    output_serializers = {"create": ShownKeyOut, "rotation": ShownKeyOut}
    # The answer is a secret: it is kept for no repetition.
    secret_actions = frozenset({"create", "rotation"})
    for_people = frozenset({"list", "retrieve", "create", "destroy", "rotation"})
    # Not to revoke: that must be easy.
    step_up = frozenset({"create", "rotation"})
    ordering_fields = ("created_at", "expires_at")
    ordering = ("-created_at",)

    def get_queryset(self) -> ApiKeyQuerySet:
        return api_keys_visible_to(self.actor)

    def create(self, request: Request) -> Response:
        """Lend some of one's own rights to a machine. The key is shown this once."""
        return self.answer(services.issue_api_key(actor=self.actor, **self.read_input()))

    def destroy(self, request: Request, pk: UUID) -> Response:
        """End a key at once."""
        services.revoke_api_key(actor=self.actor, key_id=pk)
        return self.answer()

    @action(detail=True, methods=["post"])
    def rotation(self, request: Request, pk: UUID) -> Response:
        """Let a new key take over; the present one lives on until the given instant."""
        shown = services.rotate_api_key(actor=self.actor, key_id=pk, **self.read_input())
        return self.answer(shown)
