from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.dashboards.api import views

router = SimpleRouter(use_regex_path=False)
router.register("dashboards/figures", views.FiguresViewSet, basename="dashboard-figure")

urlpatterns = [
    path("api/v1/", include(router.urls)),
    path("api/v1/dashboards/sales/", views.SalesDashboardView.as_view(), name="dashboard-sales"),
    path(
        "api/v1/dashboards/verification/",
        views.QueueDashboardView.as_view(),
        name="dashboard-verification",
    ),
    path("api/v1/dashboards/summary/", views.SummaryView.as_view(), name="dashboard-summary"),
]
