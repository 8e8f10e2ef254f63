"""Dashboards over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationView, OrganizationViewSet
from shared_apps.kernel.api.query import ORDERING
from shared_apps.kernel.api.views import Listing
from shared_apps.kernel.errors import BadInput
from tenant_apps.dashboards import selectors
from tenant_apps.dashboards.api import filters, serializers
from tenant_apps.dashboards.figures import Dimension, Grain
from tenant_apps.dashboards.models import Rollup


class SalesDashboardView(OrganizationView):
    """Won, collected and commission of one agent, by period."""

    serializer_class = serializers.SalesDashboardOut
    query_parameters = {"get": serializers.SalesQueryIn}

    def get(self, request: Request) -> Response:
        """The own figures, or those of an agent whose unit one leads or supervises."""
        asked = self.read_query()
        found = selectors.sales_dashboard(
            actor=self.actor,
            agent_id=asked["agent"],
            grain=Grain(asked["each"]),
            number=asked["last"],
        )
        return self.answer(found)


class QueueDashboardView(OrganizationView):
    """What waits for verification, by method."""

    serializer_class = serializers.QueueDashboardOut

    def get(self, request: Request) -> Response:
        """The verification queue in figures, and how verified money came in."""
        return self.answer(selectors.queue_dashboard(actor=self.actor))


class SummaryView(OrganizationView):
    """The whole organization, by agent, manager, team, office, quarter, client, product, method."""

    serializer_class = serializers.SummaryOut
    query_parameters = {"get": serializers.SummaryQueryIn}

    def get(self, request: Request) -> Response:
        """The organization's figures in a period: all, 2017, 2017-Q1 or 2017-03.

        Years and quarters are fiscal; a fiscal year is named by the calendar year it ends in.
        """
        asked = self.read_query()
        return self.answer(selectors.summary(actor=self.actor, period=asked["period"]))


class FiguresViewSet(Listing, OrganizationViewSet):
    """Every row of one breakdown, page by page.

    Within one period, or of one subject, it can be ordered by any figure. Over many periods of many
    subjects it goes by period, the newest first.
    """

    queryset = Rollup.objects.none()
    serializer_class = serializers.FiguresOut
    filterset_class = filters.FiguresFilter
    ordering_fields = {
        "period": "period",
        "won": "won_minor",
        "collected": "collected_minor",
        "commission": "commission_minor",
    }
    ordering: Any = ("-won_minor", "-id")

    def get_queryset(self) -> Any:
        selectors.require_whole_organization(self.actor)
        return Rollup.objects.all()

    def answer_page(self, queryset: Any) -> Response:
        found = self.filter_queryset(queryset)
        dimension = serializers.DIMENSIONS[self.request.query_params["by"]]
        if self._spans_periods(dimension):
            self._order_by_period()
        page: Any = self.paginate_queryset(found)
        shown = selectors.named(rows=page, dimension=dimension)
        data = self.serializer_class(shown, many=True, context=self.get_serializer_context()).data
        return self.get_paginated_response(data)

    def _spans_periods(self, dimension: Dimension) -> bool:
        asked = self.request.query_params
        if asked.get("period") or asked.get("subject") or dimension == Dimension.ORGANIZATION:
            return False
        return asked.get("each", Grain.ALL) != Grain.ALL

    def _order_by_period(self) -> None:
        """The order in which the rollup's own index stands: a page costs the same in any history.

        :raises BadInput: another order was asked for, which would sort the whole history.
        """
        chosen = getattr(self, "chosen_ordering", None) or ["-period"]
        if chosen not in (["period"], ["-period"]):
            raise BadInput.field(
                ORDERING, detail="Name a period or a subject to order by anything but the period."
            )
        sign = "-" if chosen == ["-period"] else ""
        self.chosen_ordering = [f"{sign}{name}" for name in ("period", "subject", "currency")]
