"""Statements of wallets as files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from shared_apps.access.api.views import OrganizationView
from shared_apps.documents.api.views import AnyTypeAccepted
from tenant_apps.wallets.api.serializers import StatementQuery
from tenant_apps.wallets.models import Wallet
from tenant_apps.wallets.selectors import wallets_visible_to
from tenant_apps.wallets.statements import Period, csv_rows, printed


class _StatementView(OrganizationView):
    content_negotiation_class = AnyTypeAccepted
    query_parameters = {"get": StatementQuery}

    def wallet(self, wallet_id: UUID) -> Wallet:
        return wallets_visible_to(self.actor).select_related("seller__party").obtain(wallet_id)

    def period(self) -> Period:
        asked = self.read_query()
        return Period(first=asked.get("day_from"), last=asked.get("day_to"))


class StatementCsvView(_StatementView):
    @extend_schema(
        operation_id="wallet_statement_csv",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
    )
    def get(self, request: Request, wallet_id: UUID) -> StreamingHttpResponse:
        """The rows of a period as CSV, the oldest first, however many there are."""
        wallet = self.wallet(wallet_id)
        answer = StreamingHttpResponse(
            _written(csv_rows(wallet=wallet, period=self.period())),
            content_type="text/csv; charset=utf-8",
        )
        name = f"{wallet.seller.reference}-{wallet.currency}.csv"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


class StatementPdfView(_StatementView):
    @extend_schema(
        operation_id="wallet_statement_pdf",
        responses={(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, wallet_id: UUID) -> HttpResponse:
        """The statement of a period as a PDF."""
        wallet = self.wallet(wallet_id)
        answer = HttpResponse(
            printed(wallet=wallet, period=self.period()), content_type="application/pdf"
        )
        name = f"{wallet.seller.reference}-{wallet.currency}.pdf"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        return answer


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _written(rows: Iterable[list[str]]) -> Iterator[Any]:
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)
