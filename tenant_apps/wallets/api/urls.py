from django.urls import include, path
from rest_framework.routers import SimpleRouter

from tenant_apps.wallets.api import callback_views, refund_views, sale_views, statement_views, views

router = SimpleRouter(use_regex_path=False)
router.register("sellers", views.SellerViewSet, basename="seller")
router.register("wallets", views.WalletViewSet, basename="wallet")
router.register("deposit-requests", views.DepositRequestViewSet, basename="deposit-request")
router.register("wallet-transfers", views.WalletTransferViewSet, basename="wallet-transfer")
router.register("operators", sale_views.OperatorViewSet, basename="operator")
router.register("charge-sales", sale_views.ChargeSaleViewSet, basename="charge-sale")
router.register("charge-refunds", refund_views.ChargeRefundViewSet, basename="charge-refund")
router.register("charge-batches", sale_views.ChargeBatchViewSet, basename="charge-batch")
router.register(
    "charge-reconciliations", sale_views.ReconciliationViewSet, basename="charge-reconciliation"
)

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
    path(
        "api/v1/charge-batches/<uuid:batch_id>/rows/",
        sale_views.ChargeBatchRowViewSet.as_view({"get": "list"}),
        name="charge-batch-rows",
    ),
    path(
        "api/v1/charge-reconciliations/<uuid:file_id>/rows/",
        sale_views.ReconciledRowViewSet.as_view({"get": "list"}),
        name="charge-reconciliation-rows",
    ),
    path(
        "api/v1/charge-callbacks/",
        callback_views.ChargeCallbackView.as_view(),
        name="charge-callbacks",
    ),
    path("api/v1/wallet-policy/", views.WalletPolicyView.as_view(), name="wallet-policy"),
    path("api/v1/", include(router.urls)),
]
