from django.urls import path
from rest_framework.routers import SimpleRouter

from tenant_apps.ledger.api.credit_views import CreditLineEntryViewSet, CreditLineViewSet
from tenant_apps.ledger.api.stop_views import RestartView, StopView
from tenant_apps.ledger.api.views import (
    AccountViewSet,
    CurrencyExchangeView,
    FiscalPeriodViewSet,
    FiscalYearView,
    HoldEntryViewSet,
    HoldViewSet,
    JournalViewSet,
    OpeningBalancesView,
    PostingRuleViewSet,
    StatementViewSet,
    TransferViewSet,
    TrialBalanceView,
)

_ROOT = "api/v1/ledger"

router = SimpleRouter(use_regex_path=False)
router.register(f"{_ROOT}/accounts", AccountViewSet, basename="ledger-account")
router.register(f"{_ROOT}/transfers", TransferViewSet, basename="ledger-transfer")
router.register(f"{_ROOT}/journals", JournalViewSet, basename="ledger-journal")
router.register(f"{_ROOT}/posting-rules", PostingRuleViewSet, basename="ledger-posting-rule")
router.register(f"{_ROOT}/holds", HoldViewSet, basename="ledger-hold")
router.register(f"{_ROOT}/credit-lines", CreditLineViewSet, basename="ledger-credit-line")
router.register(f"{_ROOT}/periods", FiscalPeriodViewSet, basename="ledger-period")

urlpatterns = [
    path(
        f"{_ROOT}/accounts/<uuid:account_id>/statement/",
        StatementViewSet.as_view({"get": "list"}),
        name="ledger-statement",
    ),
    path(
        f"{_ROOT}/accounts/<uuid:pk>/closing/",
        AccountViewSet.as_view({"post": "closing"}),
        name="ledger-account-closing",
    ),
    path(
        f"{_ROOT}/accounts/<uuid:pk>/reopening/",
        AccountViewSet.as_view({"post": "reopening"}),
        name="ledger-account-reopening",
    ),
    path(
        f"{_ROOT}/accounts/<uuid:pk>/striping/",
        AccountViewSet.as_view({"post": "striping"}),
        name="ledger-account-striping",
    ),
    path(
        f"{_ROOT}/accounts/<uuid:pk>/deferral/",
        AccountViewSet.as_view({"post": "deferral"}),
        name="ledger-account-deferral",
    ),
    path(
        f"{_ROOT}/holds/<uuid:hold_id>/entries/",
        HoldEntryViewSet.as_view({"get": "list"}),
        name="ledger-hold-entries",
    ),
    path(
        f"{_ROOT}/credit-lines/<uuid:line_id>/entries/",
        CreditLineEntryViewSet.as_view({"get": "list"}),
        name="ledger-credit-line-entries",
    ),
    path(
        f"{_ROOT}/journals/<uuid:pk>/reversal/",
        JournalViewSet.as_view({"post": "reversal"}),
        name="ledger-journal-reversal",
    ),
    path(
        f"{_ROOT}/periods/<uuid:pk>/closing/",
        FiscalPeriodViewSet.as_view({"post": "closing"}),
        name="ledger-period-closing",
    ),
    path(
        f"{_ROOT}/periods/<uuid:pk>/reopening/",
        FiscalPeriodViewSet.as_view({"post": "reopening"}),
        name="ledger-period-reopening",
    ),
    path(f"{_ROOT}/fiscal-years/", FiscalYearView.as_view(), name="ledger-fiscal-years"),
    path(
        f"{_ROOT}/currency-exchanges/",
        CurrencyExchangeView.as_view(),
        name="ledger-currency-exchanges",
    ),
    path(
        f"{_ROOT}/opening-balances/",
        OpeningBalancesView.as_view(),
        name="ledger-opening-balances",
    ),
    path(f"{_ROOT}/stop/", StopView.as_view(), name="ledger-stop"),
    path(f"{_ROOT}/restart/", RestartView.as_view(), name="ledger-restart"),
    path(f"{_ROOT}/trial-balance/", TrialBalanceView.as_view(), name="ledger-trial-balance"),
    *router.urls,
]
