from __future__ import annotations

from django.urls import path
from rest_framework.routers import SimpleRouter

from shared_apps.access.api.audit_views import AuditEntryViewSet, FieldHistoryViewSet
from shared_apps.access.api.grant_views import ObjectGrantViewSet
from shared_apps.access.api.key_views import ApiKeyViewSet
from shared_apps.access.api.people_views import InvitationViewSet, OwnAccessView, UserViewSet
from shared_apps.access.api.policy_views import SecuritySettingsView, SignInPolicyViewSet
from shared_apps.access.api.role_views import (
    MembershipViewSet,
    PermissionsView,
    RoleViewSet,
    UnitViewSet,
)
from shared_apps.access.api.seal_views import (
    SealKeysView,
    SealProofView,
    SealSettingsView,
    SealVerificationView,
    SegmentViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("api/v1/users", UserViewSet, basename="user")
router.register("api/v1/invitations", InvitationViewSet, basename="invitation")
router.register("api/v1/units", UnitViewSet, basename="unit")
router.register("api/v1/roles", RoleViewSet, basename="role")
router.register("api/v1/memberships", MembershipViewSet, basename="membership")
router.register("api/v1/object-grants", ObjectGrantViewSet, basename="object-grant")
router.register("api/v1/api-keys", ApiKeyViewSet, basename="api-key")
router.register("api/v1/sign-in-policies", SignInPolicyViewSet, basename="sign-in-policy")
router.register("api/v1/audit-entries", AuditEntryViewSet, basename="audit-entry")
router.register("api/v1/field-history", FieldHistoryViewSet, basename="field-history")
router.register("api/v1/seals", SegmentViewSet, basename="seal")

urlpatterns = [
    path("api/v1/me/permissions/", OwnAccessView.as_view(), name="own-access"),
    path("api/v1/permissions/", PermissionsView.as_view(), name="permissions"),
    path("api/v1/security-settings/", SecuritySettingsView.as_view(), name="security-settings"),
    path("api/v1/seals/keys/", SealKeysView.as_view(), name="seal-keys"),
    path("api/v1/seals/settings/", SealSettingsView.as_view(), name="seal-settings"),
    path("api/v1/seals/verification/", SealVerificationView.as_view(), name="seal-verification"),
    path("api/v1/seals/rows/<uuid:row_id>/proof/", SealProofView.as_view(), name="seal-proof"),
    *router.urls,
]
