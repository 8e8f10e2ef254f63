from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.limits.api import views

router = SimpleRouter(use_regex_path=False)
router.register(
    "clients/<uuid:client_id>/credit-limits", views.CreditLimitViewSet, basename="credit-limit"
)
router.register(
    "clients/<uuid:client_id>/credit-positions",
    views.CreditPositionViewSet,
    basename="credit-position",
)
router.register(
    "credit-limit-overrides", views.LimitOverrideViewSet, basename="credit-limit-override"
)
router.register("credit-overruns", views.OverrunViewSet, basename="credit-overrun")

urlpatterns = [path("api/v1/", include(router.urls))]
