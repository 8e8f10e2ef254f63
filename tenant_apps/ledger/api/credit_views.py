"""Credit lines through the API: what subjects may owe, owe, and how it came about."""

from collections.abc import Sequence
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.ledger import credit_selectors as selectors
from tenant_apps.ledger.api.filters import CreditLineEntryFilter, CreditLineFilter
from tenant_apps.ledger.api.serializers import CreditLineEntryOut, CreditLineOut, TimesQuery
from tenant_apps.ledger.models import (
    CreditLine,
    CreditLineEntry,
    CreditLineEntryQuerySet,
    CreditLineQuerySet,
)

VIEW_CREDIT_LINE = "ledger.view_creditline"


class CreditLineViewSet(Listing, Retrieving, OrganizationViewSet):
    """The credit lines of the books, with what is allowed, used, held and available.

    With `as_of` or `known_at`, as they stood then.
    """

    queryset = CreditLine.objects.none()
    serializer_class = CreditLineOut
    filterset_class = CreditLineFilter
    ordering = ("id",)
    query_parameters = {"list": TimesQuery, "retrieve": TimesQuery}
    required_permissions = {"list": VIEW_CREDIT_LINE, "retrieve": VIEW_CREDIT_LINE}

    def get_queryset(self) -> CreditLineQuerySet:
        return selectors.credit_lines_visible_to(self.actor)

    def paginate_queryset(self, queryset: Any) -> Any:
        return self._as_asked(super().paginate_queryset(queryset) or [])

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One credit line; with `as_of` or `known_at`, as it stood then."""
        return self.answer(*self._as_asked([self.get_object()]))

    def _as_asked(self, lines: Sequence[CreditLine]) -> Sequence[CreditLine]:
        times = self.read_query()
        if not times:
            return lines
        return selectors.with_exposure_at(
            lines, as_of=times.get("as_of"), known_at=times.get("known_at")
        )


class CreditLineEntryViewSet(Listing, OrganizationViewSet):
    """The changes of a credit line, newest first, each with who, when, why and what stood after.

    With `as_of` or `known_at`, those that made up what the line was then.
    """

    queryset = CreditLineEntry.objects.none()
    serializer_class = CreditLineEntryOut
    filterset_class = CreditLineEntryFilter
    ordering = ("-version",)
    query_parameters = {"list": TimesQuery}
    required_permissions = {"list": VIEW_CREDIT_LINE}

    def get_queryset(self) -> CreditLineEntryQuerySet:
        times = self.read_query()
        return selectors.credit_line_entries_visible_to(
            self.actor,
            line_id=self.kwargs["line_id"],
            as_of=times.get("as_of"),
            known_at=times.get("known_at"),
        )
