"""The books through the API: read by whoever may, written by hand by few."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.kernel.api.serializers import NoBody
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.ledger import selectors, services
from tenant_apps.ledger.api.filters import (
    AccountFilter,
    FiscalPeriodFilter,
    HoldFilter,
    JournalFilter,
    StatementFilter,
    TransferFilter,
)
from tenant_apps.ledger.api.journal_serializers import (
    CurrencyExchangeIn,
    JournalIn,
    JournalOut,
    OpeningBalancesIn,
    ReversalIn,
    TransferOut,
)
from tenant_apps.ledger.api.pagination import StatementPagination
from tenant_apps.ledger.api.serializers import (
    AccountIn,
    DeferralIn,
    FiscalPeriodOut,
    FiscalYearIn,
    HoldEntryOut,
    HoldOut,
    LedgerAccountOut,
    PostingRuleOut,
    ReopeningIn,
    StatementLineOut,
    StripesIn,
    TimesQuery,
    TrialBalanceOut,
)
from tenant_apps.ledger.models import (
    Account,
    FiscalPeriod,
    Hold,
    HoldEntry,
    PostingRule,
    StatementLine,
    Transfer,
)

VIEW_ACCOUNT = "ledger.view_account"
VIEW_TRANSFER = "ledger.view_transfer"
VIEW_RULE = "ledger.view_postingrule"
VIEW_HOLD = "ledger.view_hold"
VIEW_PERIOD = "ledger.view_fiscalperiod"


class AccountViewSet(Listing, Retrieving, OrganizationViewSet):
    """The chart of accounts, and under it the accounts that carry money, with their balances."""

    queryset = Account.objects.none()
    serializer_class = LedgerAccountOut
    input_serializers = {
        "create": AccountIn,
        "closing": NoBody,
        "reopening": NoBody,
        "striping": StripesIn,
        "deferral": DeferralIn,
    }
    filterset_class = AccountFilter
    ordering_fields = ("code", "created_at")
    ordering = ("code",)
    query_parameters = {"list": TimesQuery, "retrieve": TimesQuery}
    required_permissions = {
        "list": VIEW_ACCOUNT,
        "retrieve": VIEW_ACCOUNT,
        "create": "ledger.add_account",
        "closing": "ledger.close_account",
        "reopening": "ledger.close_account",
        "striping": "ledger.stripe_account",
        "deferral": "ledger.defer_account",
    }

    def get_queryset(self) -> QuerySet[Account]:
        return selectors.accounts_visible_to(self.actor)

    def paginate_queryset(self, queryset: Any) -> Any:
        return self._as_asked(super().paginate_queryset(queryset) or [])

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One account; with `as_of` or `known_at`, what it held then."""
        return self.answer(*self._as_asked([self.get_object()]))

    def _as_asked(self, accounts: Sequence[Account]) -> Sequence[Account]:
        times = self.read_query()
        if not times:
            return accounts
        return selectors.with_balances_at(
            accounts, as_of=times.get("as_of"), known_at=times.get("known_at")
        )

    def create(self, request: Request) -> Response:
        """Add a line of the organization's own to the chart."""
        return self.answer(services.add_account(actor=self.actor, **self.read_input()))

    def closing(self, request: Request, pk: UUID) -> Response:
        """Close a line of the chart under which nothing is held."""
        self.read_input()
        return self.answer(services.close_account(actor=self.actor, account_id=pk))

    def reopening(self, request: Request, pk: UUID) -> Response:
        """Open a closed line of the chart again."""
        self.read_input()
        return self.answer(services.reopen_account(actor=self.actor, account_id=pk))

    def striping(self, request: Request, pk: UUID) -> Response:
        """Spread each account under a line of the chart over several balances.

        Postings that raise it no longer wait for one another. Stripes are added, never taken away.
        """
        values = self.read_input()
        return self.answer(services.stripe_account(actor=self.actor, account_id=pk, **values))

    def deferral(self, request: Request, pk: UUID) -> Response:
        """Say whether what posting rules credit a line of the chart with is counted later.

        Postings then no longer wait for one another there. Its balance is exact at any moment; a
        transfer to it does not tell the balance that it left, its statement does.
        """
        values = self.read_input()
        return self.answer(services.set_deferral(actor=self.actor, account_id=pk, **values))


class StatementViewSet(Listing, OrganizationViewSet):
    """An account's statement, newest first: each transfer with the balance that it left.

    With `as_of` or `known_at`, and always where the account is striped, it goes by effective day,
    and each line has the balance of that order; opening and closing balance are those of the days
    that are asked about.
    """

    queryset = StatementLine.objects.none()
    serializer_class = StatementLineOut
    filterset_class = StatementFilter
    pagination_class = StatementPagination
    ordering = ("-version",)
    query_parameters = {"list": TimesQuery}
    required_permissions = {"list": VIEW_ACCOUNT}

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The lines, newest first; what waits to be counted is counted before."""
        account_id = self.kwargs["account_id"]
        # For whoever may not see the account, nothing is done to it.
        selectors.statement_visible_to(self.actor, account_id=account_id)
        services.fold_for_reading(account_id=account_id)
        return super().list(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[StatementLine]:
        return selectors.statement_visible_to(self.actor, account_id=self.kwargs["account_id"])

    def paginate_queryset(self, queryset: Any) -> Any:
        times = self.read_query()
        if not times and not selectors.is_striped(account_id=self.kwargs["account_id"]):
            return super().paginate_queryset(queryset)
        asked = StatementFilter(self.request.query_params, queryset=queryset)
        days = asked.form.cleaned_data if asked.is_valid() else {}
        last = [day for day in (days.get("effective_to"), times.get("as_of")) if day]
        statement = selectors.statement_at_visible_to(
            self.actor,
            account_id=self.kwargs["account_id"],
            first_day=days.get("effective_from"),
            last_day=min(last) if last else None,
            known_at=times.get("known_at"),
        )
        paginator: Any = self.paginator
        return paginator.paginate_statement(statement, self.request)


class TransferViewSet(Listing, Retrieving, OrganizationViewSet):
    """Every transfer of the books, newest first."""

    queryset = Transfer.objects.none()
    serializer_class = TransferOut
    filterset_class = TransferFilter
    ordering = ("-id",)
    required_permissions = {"list": VIEW_TRANSFER, "retrieve": VIEW_TRANSFER}

    def get_queryset(self) -> QuerySet[Transfer]:
        return selectors.transfers_visible_to(self.actor)


class HoldViewSet(Listing, Retrieving, OrganizationViewSet):
    """Funds that are or were held on accounts, newest first."""

    queryset = Hold.objects.none()
    serializer_class = HoldOut
    filterset_class = HoldFilter
    ordering = ("-id",)
    required_permissions = {"list": VIEW_HOLD, "retrieve": VIEW_HOLD}

    def get_queryset(self) -> QuerySet[Hold]:
        return selectors.holds_visible_to(self.actor)


class HoldEntryViewSet(Listing, OrganizationViewSet):
    """A hold's life, step by step: reserved, captured, released or expired."""

    queryset = HoldEntry.objects.none()
    serializer_class = HoldEntryOut
    ordering = ("number",)
    required_permissions = {"list": VIEW_HOLD}

    def get_queryset(self) -> QuerySet[HoldEntry]:
        return selectors.hold_entries_visible_to(self.actor, hold_id=self.kwargs["hold_id"])


class JournalViewSet(Listing, Retrieving, OrganizationViewSet):
    """Entries with all their legs. By hand, journals are posted and reversed here."""

    queryset = Transfer.objects.none()
    serializer_class = JournalOut
    input_serializers = {"create": JournalIn, "reversal": ReversalIn}
    money_actions = frozenset({"create", "reversal"})
    filterset_class = JournalFilter
    ordering = ("-id",)
    lookup_field = "journal_id"
    lookup_url_kwarg = "pk"
    required_permissions = {
        "list": VIEW_TRANSFER,
        "retrieve": VIEW_TRANSFER,
        "create": "ledger.post_manual_journal",
        "reversal": "ledger.reverse_journal",
    }

    def get_queryset(self) -> QuerySet[Transfer]:
        return selectors.journals_visible_to(self.actor)

    def paginate_queryset(self, queryset: Any) -> Any:
        return selectors.with_legs(super().paginate_queryset(queryset) or [])

    def get_object(self) -> Any:
        return selectors.journal_visible_to(self.actor, journal_id=self.kwargs["pk"])

    def create(self, request: Request) -> Response:
        """Post a manual journal: in each currency, its debits equal its credits."""
        given = self.read_input()
        lines = [services.JournalLine(**line) for line in given.pop("lines")]
        journal = services.post_manual_journal(actor=self.actor, lines=lines, **given)
        return self.answer(selectors.journal_visible_to(self.actor, journal_id=journal.id))

    def reversal(self, request: Request, pk: UUID) -> Response:
        """Undo a manual journal or opening balances by an opposite journal, once."""
        journal = services.reverse_journal(actor=self.actor, journal_id=pk, **self.read_input())
        return self.answer(selectors.journal_visible_to(self.actor, journal_id=journal.id))


class OpeningBalancesView(OrganizationView):
    """What accounts held on the first day."""

    serializer_class = JournalOut
    input_serializers = {"post": OpeningBalancesIn}
    money_actions = frozenset({"post"})
    required_permissions = {"post": "ledger.post_opening_balances"}

    def post(self, request: Request) -> Response:
        """Post opening balances against the opening balance equity."""
        given = self.read_input()
        lines = [services.OpeningLine(**line) for line in given.pop("lines")]
        journal = services.post_opening_balances(actor=self.actor, lines=lines, **given)
        return self.answer(selectors.journal_visible_to(self.actor, journal_id=journal.id))


class CurrencyExchangeView(OrganizationView):
    """Money of one currency given for money of another."""

    serializer_class = JournalOut
    input_serializers = {"post": CurrencyExchangeIn}
    money_actions = frozenset({"post"})
    required_permissions = {"post": "ledger.exchange_currency"}

    def post(self, request: Request) -> Response:
        """Post an exchange through the position of each currency."""
        journal = services.exchange_currency(actor=self.actor, **self.read_input())
        return self.answer(selectors.journal_visible_to(self.actor, journal_id=journal.id))


class TrialBalanceView(OrganizationView):
    """All accounts by line of the chart and currency; debits equal credits."""

    serializer_class = TrialBalanceOut
    query_parameters = {"get": TimesQuery}
    required_permissions = {"get": VIEW_ACCOUNT}

    def get(self, request: Request) -> Response:
        """The trial balance now, or as of the end of a day, or as it was known at an instant."""
        times = self.read_query()
        books = selectors.trial_balance(as_of=times.get("as_of"), known_at=times.get("known_at"))
        return self.answer(books)


class PostingRuleViewSet(Listing, Retrieving, OrganizationViewSet):
    """How business events are written into the books, by name."""

    queryset = PostingRule.objects.none()
    serializer_class = PostingRuleOut
    ordering_fields = ("code",)
    ordering = ("code",)
    required_permissions = {"list": VIEW_RULE, "retrieve": VIEW_RULE}

    def get_queryset(self) -> QuerySet[PostingRule]:
        return selectors.posting_rules_visible_to(self.actor)


class FiscalPeriodViewSet(Listing, Retrieving, OrganizationViewSet):
    """The periods of the fiscal years. Nothing takes effect in a closed one."""

    queryset = FiscalPeriod.objects.none()
    serializer_class = FiscalPeriodOut
    input_serializers = {"closing": NoBody, "reopening": ReopeningIn}
    filterset_class = FiscalPeriodFilter
    ordering_fields = ("starts_on",)
    ordering = ("starts_on",)
    required_permissions = {
        "list": VIEW_PERIOD,
        "retrieve": VIEW_PERIOD,
        "closing": "ledger.close_fiscalperiod",
        "reopening": "ledger.reopen_fiscalperiod",
    }

    def get_queryset(self) -> QuerySet[FiscalPeriod]:
        return selectors.periods_visible_to(self.actor)

    def closing(self, request: Request, pk: UUID) -> Response:
        """Close a period that has ended."""
        self.read_input()
        return self.answer(services.close_period(actor=self.actor, period_id=pk))

    def reopening(self, request: Request, pk: UUID) -> Response:
        """Open a closed period again, for a reason."""
        given = self.read_input()
        return self.answer(services.reopen_period(actor=self.actor, period_id=pk, **given))


class FiscalYearView(OrganizationView):
    """Fiscal years, which are made of periods."""

    serializer_class = FiscalPeriodOut
    input_serializers = {"post": FiscalYearIn}
    unpaged = frozenset({"post"})
    required_permissions = {"post": "ledger.add_fiscalperiod"}

    def post(self, request: Request) -> Response:
        """Open a fiscal year, named by the year it ends in; the answer is its periods."""
        return self.answer_all(services.open_fiscal_year(actor=self.actor, **self.read_input()))
