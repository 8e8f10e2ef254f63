from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.products.api.views import ProductViewSet, TaxRateViewSet

router = SimpleRouter(use_regex_path=False)
router.register("products", ProductViewSet, basename="product")
router.register("tax-rates", TaxRateViewSet, basename="tax-rate")

urlpatterns = [path("api/v1/", include(router.urls))]
