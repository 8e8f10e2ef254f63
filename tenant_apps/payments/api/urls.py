from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.payments.api import views

router = SimpleRouter(use_regex_path=False)
router.register("payments", views.PaymentViewSet, basename="payment")
router.register("verification-queue", views.VerificationQueueViewSet, basename="verification-queue")
router.register("payment-invoices", views.PaymentInvoiceViewSet, basename="payment-invoice")

urlpatterns = [path("api/v1/", include(router.urls))]
