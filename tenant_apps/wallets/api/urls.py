from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.wallets.api import statement_views, views

router = SimpleRouter(use_regex_path=False)
router.register("sellers", views.SellerViewSet, basename="seller")
router.register("wallets", views.WalletViewSet, basename="wallet")
router.register("deposit-requests", views.DepositRequestViewSet, basename="deposit-request")
router.register("wallet-transfers", views.WalletTransferViewSet, basename="wallet-transfer")

urlpatterns = [
    path(
        "api/v1/wallets/<uuid:wallet_id>/history/",
        views.WalletHistoryViewSet.as_view({"get": "list"}),
        name="wallet-history",
    ),
    path(
        "api/v1/wallets/<uuid:wallet_id>/statement/csv/",
        statement_views.StatementCsvView.as_view(),
        name="wallet-statement-csv",
    ),
    path(
        "api/v1/wallets/<uuid:wallet_id>/statement/pdf/",
        statement_views.StatementPdfView.as_view(),
        name="wallet-statement-pdf",
    ),
    path("api/v1/wallet-policy/", views.WalletPolicyView.as_view(), name="wallet-policy"),
    path("api/v1/", include(router.urls)),
]
