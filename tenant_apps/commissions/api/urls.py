from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.commissions.api import views

router = SimpleRouter(use_regex_path=False)
router.register("commissions", views.CommissionViewSet, basename="commission")
router.register("commission-plans", views.CommissionPlanViewSet, basename="commission-plan")

urlpatterns = [path("api/v1/", include(router.urls))]
