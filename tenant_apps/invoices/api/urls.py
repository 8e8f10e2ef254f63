from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.invoices.api.views import InvoiceSeriesViewSet, InvoiceViewSet

router = SimpleRouter(use_regex_path=False)
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("invoice-series", InvoiceSeriesViewSet, basename="invoice-series")

urlpatterns = [
    path(
        "api/v1/invoices/<uuid:pk>/pdf/",
        InvoiceViewSet.as_view({"get": "pdf"}),
        name="invoice-pdf",
    ),
    path(
        "api/v1/invoices/<uuid:pk>/approval/",
        InvoiceViewSet.as_view({"post": "approval"}),
        name="invoice-approval",
    ),
    path("api/v1/", include(router.urls)),
]
