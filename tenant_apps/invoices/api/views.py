"""Invoices, their PDFs and approvals, and the series of their numbers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from shared_apps.access.api.views import OrganizationViewSet
from shared_apps.documents.links import content_link
from shared_apps.kernel.api.views import Listing, Retrieving
from tenant_apps.invoices import services
from tenant_apps.invoices.api.filters import InvoiceFilter, InvoiceSeriesFilter
from tenant_apps.invoices.api.serializers import (
    InvoiceApprovalIn,
    InvoiceApprovalOut,
    InvoiceDetailOut,
    InvoiceOut,
    InvoicePdfOut,
    InvoiceSeriesIn,
    InvoiceSeriesOut,
)
from tenant_apps.invoices.models import Invoice, InvoiceSeries
from tenant_apps.invoices.selectors import invoices_visible_to, series_visible_to, with_relations


class InvoiceViewSet(Listing, Retrieving, OrganizationViewSet):
    """What was billed. Invoices follow from deals that were won; nobody adds one by hand."""

    queryset = Invoice.objects.none()
    serializer_class = InvoiceOut
    output_serializers = {
        "retrieve": InvoiceDetailOut,
        "pdf": InvoicePdfOut,
        "approval": InvoiceApprovalOut,
    }
    input_serializers = {"approval": InvoiceApprovalIn}
    filterset_class = InvoiceFilter
    ordering_fields = {
        "created_at": "created_at",
        "number": "number",
        "issued_on": "issued_on",
        "due_on": "due_on",
        "total": "total_minor",
        "outstanding": "outstanding_minor",
    }

    def get_queryset(self) -> Any:
        invoices = with_relations(
            invoices_visible_to(self.actor).with_approval(),
            shown=self.expanded(),
            actor=self.actor,
        )
        if self.operation == "retrieve":
            invoices = invoices.prefetch_related("lines", "tax_totals")
        return invoices

    def pdf(self, request: Request, pk: UUID) -> Response:
        """Where the invoice's PDF can be fetched; it is made when first asked for."""
        document = services.print_invoice(actor=self.actor, invoice_id=pk)
        self.link = content_link(document)
        return self.answer(document)

    def approval(self, request: Request, pk: UUID) -> Response:
        """Say that an invoice was looked at and found right."""
        return self.answer(
            services.approve_invoices(actor=self.actor, invoice_ids=[pk], **self.read_input())[0]
        )

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "link": getattr(self, "link", "")}


class InvoiceSeriesViewSet(Listing, Retrieving, OrganizationViewSet):
    """The ranges of invoice numbers with their terms."""

    queryset = InvoiceSeries.objects.none()
    serializer_class = InvoiceSeriesOut
    input_serializers = {"partial_update": InvoiceSeriesIn}
    required_permissions = {
        "list": "invoices.view_invoiceseries",
        "retrieve": "invoices.view_invoiceseries",
        "partial_update": "invoices.change_invoiceseries",
    }
    filterset_class = InvoiceSeriesFilter
    ordering_fields = ("code",)

    def get_queryset(self) -> Any:
        return series_visible_to(self.actor)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change the terms of future invoices."""
        return self.answer(
            services.change_series(
                actor=self.actor,
                series_id=pk,
                changes=self.read_input(),
                expected_version=self.expected_version(),
            )
        )
