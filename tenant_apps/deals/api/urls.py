from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.deals.api.views import (
    ActivityViewSet,
    DealHistoryViewSet,
    DealViewSet,
    StageChangeViewSet,
)

router = SimpleRouter(use_regex_path=False)
router.register("deals", DealViewSet, basename="deal")
router.register("deals/<uuid:deal_id>/stage-changes", StageChangeViewSet, basename="stage-change")
router.register("deals/<uuid:deal_id>/activities", ActivityViewSet, basename="activity")
router.register("deals/<uuid:deal_id>/history", DealHistoryViewSet, basename="deal-history")

urlpatterns = [
    path(
        "api/v1/deals/<uuid:pk>/assignment/",
        DealViewSet.as_view({"post": "assignment"}),
        name="deal-assignment",
    ),
    path("api/v1/", include(router.urls)),
]
