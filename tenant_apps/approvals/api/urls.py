from rest_framework.routers import SimpleRouter

from tenant_apps.approvals.api.views import ApprovalViewSet

router = SimpleRouter(use_regex_path=False)
router.register("api/v1/approvals", ApprovalViewSet, basename="approval")

urlpatterns = router.urls
